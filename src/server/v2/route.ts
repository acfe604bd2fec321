import type { IncomingMessage } from 'node:http';
import { formatReference } from '../../oci/reference.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RepositoryTable } from '../../repository/repository-table.ts';
import { splitUrl } from '../request/split-url.ts';
import { assertAddressedOnce, hasTwoHosts } from './addressed-once.ts';
import { Memo } from './memo.ts';
import { isV2Path, parseV2Path, type V2Path } from './v2-path.ts';

/** A path in a repository. */
export type RepositoryPath = Exclude<V2Path, { readonly kind: 'ping' } | { readonly kind: 'catalog' }>;

/** What a request's address says, before it is known which repository it means. */
export interface RequestAddress<Path extends V2Path = V2Path> {
  readonly path: Path;
  /** The path as the client sent it, for links to the next page. */
  readonly rawPath: string;
  readonly query: URLSearchParams;
  readonly ns: string | undefined;
}

/** The meaning of a request for a repository. It stays the same as long as the program runs. */
export interface Route<Path extends RepositoryPath = RepositoryPath> extends RequestAddress<Path> {
  readonly repository: Repository;
  /** The reference or digest that is asked for, for the log; undefined for the list of tags. */
  readonly subject: string | undefined;
}

export type ManifestRoute = Route<RepositoryPath & { readonly kind: 'manifest' }>;

/**
 * Reads the address of a request.
 * @throws RegistryError if the path is no endpoint of the registry, or the request has two Hosts or two `ns`
 */
export function readAddress({ url = '/', rawHeaders }: IncomingMessage): RequestAddress {
  const { path: rawPath, query } = splitUrl(url);
  assertAddressedOnce(rawHeaders, query);
  return { path: parseV2Path(rawPath), rawPath, query, ns: query.get('ns') ?? undefined };
}

/** Finds the routes of requests, for both ways of answering them (docs/adr/0009). */
export class Routes {
  readonly #repositories: Pick<RepositoryTable, 'select'>;
  readonly #manifests = new Memo<ManifestRoute>();

  constructor(repositories: Pick<RepositoryTable, 'select'>) {
    this.#repositories = repositories;
  }

  /**
   * @param host the request's Host header
   * @throws RegistryError if the address means no repository, or one that the config forbids
   */
  find<Path extends RepositoryPath>(spelled: RequestAddress<Path>, host: string | undefined): Route<Path> {
    const { path, ns } = spelled;
    const { segments, prefix } = path;
    const repository = this.#repositories.select({ segments, prefix, ns, host });
    return { ...spelled, repository, subject: subjectOf(path) };
  }

  /**
   * Returns the route of a GET or HEAD of a manifest. The same address is not read a second time.
   * @returns undefined if the request is another one, or wrong: then `readAddress` or `find` says why
   */
  findManifest(incoming: IncomingMessage): ManifestRoute | undefined {
    const { method, url = '', headers, rawHeaders } = incoming;
    if ((method !== 'GET' && method !== 'HEAD') || !url.includes('/manifests/')) return undefined;
    if (hasTwoHosts(rawHeaders)) return undefined;
    const key = `${headers.host ?? ''} ${url}`;
    const known = this.#manifests.get(key);
    if (known !== undefined) return known;
    const route = isV2Path(splitUrl(url).path) ? this.#readManifest(incoming) : undefined;
    if (route !== undefined) this.#manifests.put(key, route);
    return route;
  }

  #readManifest(incoming: IncomingMessage): ManifestRoute | undefined {
    try {
      const { path, ...rest } = readAddress(incoming);
      return path.kind === 'manifest' ? this.find({ path, ...rest }, incoming.headers.host) : undefined;
    } catch {
      return undefined;
    }
  }
}

function subjectOf(path: RepositoryPath): string | undefined {
  switch (path.kind) {
    case 'manifest':
      return formatReference(path.reference);
    case 'blob':
    case 'referrers':
      return path.digest;
    case 'tags':
      return undefined;
  }
}
