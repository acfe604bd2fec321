import { isJsonObject } from '../oci/json.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { isTag } from '../oci/tag.ts';
import type { Answer } from './answer.ts';
import type { RegistryClient } from './registry-client.ts';
import { requireIdentity } from './content-encoding.ts';
import { UpstreamError } from './error.ts';
import { nextQuery } from './next-query.ts';
import { parseProblem } from './problem.ts';
import type { Quirks } from './quirks.ts';
import type { CallOptions, TagsPage } from './upstream.ts';

export interface TagsOptions {
  readonly upstream: string;
  readonly client: RegistryClient;
  readonly quirks: Quirks;
}

type PageOptions = CallOptions & { readonly next?: string | undefined };

/** Tags of an upstream (distribution-spec, "Listing Tags"). */
export class Tags {
  readonly #options: TagsOptions;

  constructor(options: TagsOptions) {
    this.#options = options;
  }

  /** See `Upstream.tags`. Names that are no tags are left out. */
  async page(repository: RepositoryName, options: PageOptions = {}): Promise<TagsPage> {
    const query = new URLSearchParams(options.next ?? { n: String(this.#options.quirks.tagsPageSize) });
    const answer = await this.#ask(repository, query, options);
    requireIdentity(this.#options.upstream, answer);
    const body = await answer.body.document(this.#options.quirks.tagsPageBytes);
    const next = nextQuery(this.#options.upstream, answer)?.toString();
    // A link to the page itself would be followed for ever.
    return { tags: this.#parse(body), next: next === query.toString() ? undefined : next };
  }

  async #ask(repository: RepositoryName, query: URLSearchParams, options: PageOptions): Promise<Answer> {
    const { signal } = options;
    const request = { method: 'GET', repository, path: 'tags/list', target: 'tags', signal } as const;
    try {
      return await this.#options.client.request({ ...request, query });
    } catch (error) {
      // A registry may set a limit to n and refuse what is beyond it (PAGINATION_NUMBER_INVALID).
      const isLimit = error instanceof UpstreamError && error.status === 400 && options.next === undefined;
      if (!isLimit) throw error;
      return this.#options.client.request(request);
    }
  }

  #parse(body: Buffer): string[] {
    const document = parseJson(body.toString());
    // Go writes an empty list as null; a document without any list is none.
    const tags = isJsonObject(document) && document['tags'] === null ? [] : listOf(document);
    if (tags !== undefined) return tags.filter((tag) => typeof tag === 'string' && isTag(tag));
    const [code] = parseProblem(body.toString()).codes;
    const what = code === undefined ? 'something else than' : `an error, ${code}, in place of`;
    const message = `sent ${what} a list of tags`;
    throw new UpstreamError(this.#options.upstream, 'unavailable', 'content', message, { status: 200 });
  }
}

function listOf(document: unknown): readonly unknown[] | undefined {
  const tags = isJsonObject(document) ? document['tags'] : undefined;
  return Array.isArray(tags) ? tags : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
