import type { IncomingMessage } from 'node:http';
import { formatReference } from '../../oci/reference.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RepositoryTable } from '../../repository/repository-table.ts';
import { splitUrl } from '../request/split-url.ts';
import { assertAddressedOnce, hasTwoHosts } from './addressed-once.ts';
import { Memo } from './memo.ts';
import { isV2Path, parseV2Path, type V2Path } from './v2-path.ts';

/** A path that is about a repository. */
export type RepositoryPath = Exclude<V2Path, { readonly kind: 'ping' } | { readonly kind: 'catalog' }>;

/** A request as its address spells it, before it is known which repository it means. */
export interface Spelled<Path extends V2Path = V2Path> {
  readonly path: Path;
  /** The path as it was asked, for links to the next page. */
  readonly rawPath: string;
  readonly query: URLSearchParams;
  readonly ns: string | undefined;
}

/** What a request about a repository means: the same for as long as the program runs. */
export interface Route<Path extends RepositoryPath = RepositoryPath> extends Spelled<Path> {
  readonly repository: Repository;
  /** What of the repository is asked for, for the log; undefined of its tags. */
  readonly subject: string | undefined;
}

export type ManifestRoute = Route<RepositoryPath & { readonly kind: 'manifest' }>;

/**
 * Reads the address of a request.
 * @throws RegistryError for what is no endpoint of the registry, or is addressed twice
 */
export function readAddress({ url = '/', rawHeaders }: IncomingMessage): Spelled {
  const { path: rawPath, query } = splitUrl(url);
  assertAddressedOnce(rawHeaders, query);
  return { path: parseV2Path(rawPath), rawPath, query, ns: query.get('ns') ?? undefined };
}

/** Finds what requests mean, the same for both ways of answering them (docs/adr/0009). */
export class Routes {
  readonly #repositories: Pick<RepositoryTable, 'select'>;
  readonly #manifests = new Memo<ManifestRoute>();

  constructor(repositories: Pick<RepositoryTable, 'select'>) {
    this.#repositories = repositories;
  }

  /**
   * @param host the request's Host header
   * @throws RegistryError where no repository is meant, or one that the config forbids
   */
  find<Path extends RepositoryPath>(spelled: Spelled<Path>, host: string | undefined): Route<Path> {
    const { path, ns } = spelled;
    const { segments, prefix } = path;
    const repository = this.#repositories.select({ segments, prefix, ns, host });
    return { ...spelled, repository, subject: subjectOf(path) };
  }

  /**
   * The manifest that a GET or HEAD asks for. One that is asked for again is not read again.
   * @returns undefined where none is asked for, or something is wrong: `readAddress` and `find` say what
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
