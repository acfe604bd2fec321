import type { RepositoryName } from '../../oci/repository-name.ts';
import type { TagNames } from '../../oci/tag-names.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { RegistryClient } from './registry-client.ts';
import { requireIdentity } from '../transport/content-encoding.ts';
import { UpstreamError } from '../error.ts';
import { nextQuery } from './next-query.ts';
import type { Work } from './parsing/functions.ts';
import type { Parser } from './parsing/parser.ts';
import type { Quirks } from '../quirks.ts';
import { readDocument } from './read-document.ts';
import type { CallOptions, TagsPage } from '../upstream.ts';

export interface TagListerOptions {
  readonly upstream: string;
  readonly client: RegistryClient;
  readonly quirks: Quirks;
  readonly parser: Parser;
}

type PageOptions = CallOptions & { readonly next?: string | undefined };

/** Lists tags of an upstream (distribution-spec, "Listing Tags"). */
export class TagLister {
  readonly #options: TagListerOptions;

  constructor(options: TagListerOptions) {
    this.#options = options;
  }

  /** See `Upstream.tags`. Names that are no tags are left out. */
  async page(repository: RepositoryName, options: PageOptions = {}): Promise<TagsPage> {
    const query = new URLSearchParams(options.next ?? { n: String(this.#options.quirks.tagsPageSize) });
    const answer = await this.#ask(repository, query, options);
    requireIdentity(this.#options.upstream, answer);
    using document = await answer.body.document(this.#options.quirks.tagsPageBytes);
    const next = nextQuery(this.#options.upstream, answer)?.toString();
    const tags = await this.#parse(document.bytes);
    // The caller would follow a link to the page itself for ever.
    return { tags, next: next === query.toString() ? undefined : next };
  }

  async #ask(
    repository: RepositoryName,
    query: URLSearchParams,
    options: PageOptions,
  ): Promise<UpstreamResponse> {
    const { signal } = options;
    const request = { method: 'GET', repository, path: 'tags/list', target: 'tags', signal } as const;
    try {
      return await this.#options.client.request({ ...request, query });
    } catch (error) {
      // A registry may limit n and refuse a larger one (PAGINATION_NUMBER_INVALID).
      const isLimit = error instanceof UpstreamError && error.status === 400 && options.next === undefined;
      if (!isLimit) throw error;
      return this.#options.client.request(request);
    }
  }

  async #parse(body: Buffer): Promise<TagNames> {
    const { upstream, parser } = this.#options;
    const work: Work<'tagsPage'> = { name: 'tagsPage', args: [body], transfer: ownBuffer(body) };
    const parsed = await readDocument(upstream, parser, work, body.length);
    if (parsed.tags !== undefined) return parsed.tags;
    const { code } = parsed;
    const what = code === undefined ? 'something else than' : `an error, ${code}, in place of`;
    throw new UpstreamError(upstream, 'unavailable', 'content', `sent ${what} a list of tags`, {
      status: 200,
    });
  }
}

/** Returns the memory that the parser may take over. Small buffers share theirs, so they must not give it away. */
function ownBuffer({ buffer, byteLength }: Buffer): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
