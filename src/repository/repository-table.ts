import type { RepositoryKey } from '../index/repository-key.ts';
import { asciiLower } from '../text/ascii.ts';
import { RegistryError } from '../oci/error.ts';
import { quoted } from '../text/quoted.ts';
import { isRepositoryName, type RepositoryName } from '../oci/repository-name.ts';
import { keyOf, type RegistryNames } from './registry-names.ts';
import type { Repository } from './repository.ts';

/** A registry, as the routing of requests sees it. */
export interface RoutedRegistry extends RegistryNames {
  /** Values of Host that select it, in lower case. */
  readonly hosts: readonly string[];
  /** Whether the config lets this repository be served. */
  readonly isAllowed: (repository: RepositoryName) => boolean;
}

/** A registry whose repositories Larder serves. */
export interface ServedRegistry extends RoutedRegistry {
  /** Returns one of its repositories, whether it exists or not. */
  repository(key: RepositoryKey): Repository;
}

/** The parts of a request that name a registry and a repository. */
export interface Addressing {
  /** The repository as the path spells it, perhaps with a registry's name as first segment; each decoded. */
  readonly segments: readonly string[];
  /** The segment in front of `/v2/`. */
  readonly prefix: string | undefined;
  /** The query parameter that containerd, BuildKit and regclient send. */
  readonly ns: string | undefined;
  /** The request's Host header. */
  readonly host: string | undefined;
}

/**
 * Finds the registry of a repository by its own name; undefined if the config does not have it (any more), or forbids the
 * repository.
 */
export function findRegistry<R extends RoutedRegistry>(
  registries: readonly R[],
  { registry, repository }: RepositoryKey,
): R | undefined {
  const found = registries.find(({ name }) => name === registry);
  return found?.isAllowed(repository) === true ? found : undefined;
}

/** The configured registries. The table is closed: a registry that is not in it is never dialled. */
export class RepositoryTable {
  readonly #registries: readonly ServedRegistry[];
  readonly #byName = new Map<string, ServedRegistry>();
  readonly #byHost = new Map<string, ServedRegistry>();
  readonly #default: ServedRegistry;

  /**
   * @param defaultRegistry the name of one of the registries
   * @throws Error if no registry has that name; the config has been checked before
   */
  constructor(registries: readonly ServedRegistry[], defaultRegistry: string) {
    this.#registries = registries;
    for (const registry of registries) {
      for (const name of [registry.name, ...registry.aliases]) this.#byName.set(name, registry);
      for (const host of registry.hosts) this.#byHost.set(host, registry);
    }
    const byDefault = this.#byName.get(defaultRegistry);
    if (byDefault === undefined) throw new Error(`no upstream is called ${defaultRegistry}`);
    this.#default = byDefault;
  }

  /**
   * Finds the repository that a request names. The first match counts: `ns`, a prefix before `/v2/`, Host, a prefix of
   * the name, the default registry.
   * @throws RegistryError NAME_UNKNOWN (no such registry), NAME_INVALID, DENIED (the config forbids the repository)
   */
  select(addressing: Addressing): Repository {
    const { registry, segments } = this.#find(addressing);
    assertNoRegistry(registry, segments);
    const key = keyOf(registry, segments);
    if (!registry.isAllowed(key.repository)) {
      throw new RegistryError('DENIED', `the mirror is not configured to serve ${key.repository}`);
    }
    return registry.repository(key);
  }

  /** Finds a repository by its key; undefined if the config does not have it (any more). */
  find(key: RepositoryKey): Repository | undefined {
    return findRegistry(this.#registries, key)?.repository(key);
  }

  /**
   * Returns the name of the registry that a request names apart from its repository, such as a ping; undefined: none.
   * @throws RegistryError NAME_UNKNOWN if no registry has the prefix as a name
   */
  registryOf({ prefix, host }: Pick<Addressing, 'prefix' | 'host'>): string | undefined {
    if (prefix !== undefined) return this.#called(prefix).name;
    return this.#hosted(host)?.name;
  }

  /**
   * Returns the key of `registry/repository`, with the registry's own name; undefined if it is not configured, or not
   * allowed.
   */
  servedKey(path: string): RepositoryKey | undefined {
    const slash = path.indexOf('/');
    const [registry, repository] = [path.slice(0, slash), path.slice(slash + 1)];
    if (!isRepositoryName(repository)) return undefined;
    const key = { registry, repository };
    return findRegistry(this.#registries, key) && key;
  }

  #find({ ns, host, prefix, segments }: Addressing): {
    registry: ServedRegistry;
    segments: readonly string[];
  } {
    if (ns !== undefined) {
      const registry = this.#called(ns);
      return { registry, segments: this.#withoutPrefix(segments, registry) };
    }
    if (prefix !== undefined) return { registry: this.#called(prefix), segments };
    const byHost = this.#hosted(host);
    if (byHost !== undefined) return { registry: byHost, segments };
    const byPrefix = segments.length > 1 ? this.#byName.get(segments[0] ?? '') : undefined;
    if (byPrefix !== undefined) return { registry: byPrefix, segments: segments.slice(1) };
    return { registry: this.#default, segments };
  }

  #called(name: string): ServedRegistry {
    const registry = this.#byName.get(asciiLower(name));
    if (registry !== undefined) return registry;
    throw new RegistryError('NAME_UNKNOWN', `the mirror has no upstream ${quoted(name)}`);
  }

  #hosted(spelled: string | undefined): ServedRegistry | undefined {
    if (spelled === undefined) return undefined;
    const host = asciiLower(spelled);
    return this.#byHost.get(host) ?? this.#byHost.get(host.replace(/:\d+$/, ''));
  }

  /** Removes the prefix that clients send beside `ns` if their mirror address has one: it names the same registry. */
  #withoutPrefix(segments: readonly string[], registry: ServedRegistry): readonly string[] {
    const isPrefixed = segments.length > 1 && this.#byName.get(segments[0] ?? '') === registry;
    return isPrefixed ? segments.slice(1) : segments;
  }
}

/**
 * Refuses a name whose first segment names a registry that is not configured. It does if it has a dot or a colon: on
 * Docker Hub no name has one in its first segment.
 */
function assertNoRegistry({ addLibrary }: RegistryNames, segments: readonly string[]): void {
  const [first = ''] = segments;
  if (!addLibrary || segments.length === 1 || !/[.:]/.test(first)) return;
  throw new RegistryError('NAME_UNKNOWN', `the mirror has no upstream ${quoted(first)}`);
}
