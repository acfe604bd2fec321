import { isJsonObject } from '../../oci/documents/json.ts';
import { UpstreamError } from '../error.ts';
import { requireIdentity } from '../transport/content-encoding.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { CallOptions, RepositoriesPage } from '../upstream.ts';
import { nextQuery } from './next-query.ts';
import type { RegistryClient } from './registry-client.ts';

/** Number of repositories to ask for in one page: distribution refuses more than 1000, and takes 100 by default. */
const PAGE_SIZE = 100;

/** Some registries ignore `n`. This is room for 30,000 of the longest names. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/** What a name may be made of, with a mirror's host and port in front of it. Others might harm a terminal. */
const NAME = /^[A-Za-z0-9._:/-]{1,512}$/;

export interface CatalogListerOptions {
  readonly upstream: string;
  readonly client: RegistryClient;
}

type PageOptions = CallOptions & { readonly next?: string | undefined };

/** Lists the repositories of an upstream (distribution, "Listing Repositories"; no part of the specification of OCI). */
export class CatalogLister {
  readonly #options: CatalogListerOptions;

  constructor(options: CatalogListerOptions) {
    this.#options = options;
  }

  /** See `AskedUpstream.catalog`. Names that are none are left out. */
  async page(options: PageOptions = {}): Promise<RepositoriesPage> {
    const query = new URLSearchParams(options.next ?? { n: String(PAGE_SIZE) });
    const answer = await this.#ask(query, options);
    requireIdentity(this.#options.upstream, answer);
    using document = await answer.body.document(MAX_PAGE_BYTES);
    const next = nextQuery(this.#options.upstream, answer)?.toString();
    const repositories = this.#parse(document.bytes);
    // The caller would follow a link to the page itself for ever.
    return { repositories, next: next === query.toString() ? undefined : next };
  }

  async #ask(query: URLSearchParams, { signal }: PageOptions): Promise<UpstreamResponse> {
    const request = { method: 'GET', repository: undefined, path: '_catalog', target: 'catalog' } as const;
    return this.#options.client.request({ ...request, query, signal });
  }

  #parse(body: Uint8Array): readonly string[] {
    const list = repositoriesOf(new TextDecoder().decode(body));
    if (list !== undefined) return list.filter(isName);
    const message = 'sent something else than a list of repositories';
    throw new UpstreamError(this.#options.upstream, 'unavailable', 'content', message, { status: 200 });
  }
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

/** Returns undefined if the text is no page. A null list is empty, as Go writes it. */
function repositoriesOf(text: string): readonly unknown[] | undefined {
  try {
    const document: unknown = JSON.parse(text);
    const list = isJsonObject(document) ? document['repositories'] : undefined;
    if (list === null) return [];
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}
