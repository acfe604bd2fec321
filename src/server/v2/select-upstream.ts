import type { MirroredUpstream, Target } from '../../mirror/target.ts';
import { asciiLower } from '../../oci/ascii.ts';
import { RegistryError, quoted } from '../../oci/error.ts';
import { isRepositoryName, parseRepositoryName, type RepositoryName } from '../../oci/repository-name.ts';
import type { Addressed } from './v2-path.ts';

/** An upstream as requests find it. All names in lower case. */
export interface RoutedUpstream extends MirroredUpstream {
  /** Its name and aliases: what `ns` and path prefixes may say. */
  readonly names: readonly string[];
  /** Values of Host that select it. */
  readonly hosts: readonly string[];
  /** Whether `debian` means `library/debian` (Docker Hub). */
  readonly addLibrary: boolean;
  /** Whether the config lets this repository be mirrored. */
  readonly isAllowed: (repository: RepositoryName) => boolean;
}

/** Where a request says that it wants to go. */
export interface Addressing extends Addressed {
  /** The query parameter that containerd, BuildKit and regclient send. */
  readonly ns: string | undefined;
  /** The request's Host header. */
  readonly host: string | undefined;
}

/** The upstreams that are configured: a closed world. What is not in it is never dialled. */
export class UpstreamTable {
  readonly #byName = new Map<string, RoutedUpstream>();
  readonly #byHost = new Map<string, RoutedUpstream>();
  readonly #default: RoutedUpstream;

  /**
   * @param defaultUpstream the name of one of them
   * @throws Error where it is none of them: the config is checked before
   */
  constructor(upstreams: readonly RoutedUpstream[], defaultUpstream: string) {
    for (const upstream of upstreams) {
      for (const name of upstream.names) this.#byName.set(name, upstream);
      for (const host of upstream.hosts) this.#byHost.set(host, upstream);
    }
    const byDefault = this.#byName.get(defaultUpstream);
    if (byDefault === undefined) throw new Error(`no upstream is called ${defaultUpstream}`);
    this.#default = byDefault;
  }

  /**
   * The repository that a request means. First match: `ns`, a prefix before `/v2/`, Host, a prefix of the
   * name, the default upstream.
   * @throws RegistryError NAME_UNKNOWN (no such upstream), NAME_INVALID, DENIED (the config forbids the repository)
   */
  select(addressing: Addressing): Target {
    const { upstream, segments } = this.#find(addressing);
    const repository = repositoryOf(upstream, segments);
    if (!upstream.isAllowed(repository)) {
      throw new RegistryError('DENIED', `the mirror is not configured to serve ${repository}`);
    }
    return {
      upstream: upstream.upstream,
      tags: upstream.tags,
      permission: upstream.permission,
      key: { registry: upstream.upstream.name, repository },
    };
  }

  /** @throws RegistryError NAME_UNKNOWN where no upstream has this name */
  assertConfigured(name: string): void {
    this.#named(name);
  }

  /** Whether `upstream/repository`, an upstream by its own name, is configured and allowed. */
  serves(path: string): boolean {
    const slash = path.indexOf('/');
    const upstream = this.#byName.get(path.slice(0, slash));
    if (upstream === undefined || upstream.upstream.name !== path.slice(0, slash)) return false;
    const repository = path.slice(slash + 1);
    return isRepositoryName(repository) && upstream.isAllowed(repository);
  }

  #find({ ns, host, prefix, segments }: Addressing): {
    upstream: RoutedUpstream;
    segments: readonly string[];
  } {
    if (ns !== undefined) {
      const upstream = this.#named(ns);
      return { upstream, segments: this.#withoutPrefix(segments, upstream) };
    }
    if (prefix !== undefined) return { upstream: this.#named(prefix), segments };
    const byHost = host === undefined ? undefined : this.#hosted(asciiLower(host));
    if (byHost !== undefined) return { upstream: byHost, segments };
    const byPrefix = segments.length > 1 ? this.#byName.get(segments[0] ?? '') : undefined;
    if (byPrefix !== undefined) return { upstream: byPrefix, segments: segments.slice(1) };
    return { upstream: this.#default, segments };
  }

  #named(name: string): RoutedUpstream {
    const upstream = this.#byName.get(asciiLower(name));
    if (upstream !== undefined) return upstream;
    throw new RegistryError('NAME_UNKNOWN', `the mirror has no upstream ${quoted(name)}`);
  }

  #hosted(host: string): RoutedUpstream | undefined {
    return this.#byHost.get(host) ?? this.#byHost.get(host.replace(/:\d+$/, ''));
  }

  /** Clients whose mirror address has a prefix send it beside `ns`: it names the same upstream, and goes. */
  #withoutPrefix(segments: readonly string[], upstream: RoutedUpstream): readonly string[] {
    const isPrefixed = segments.length > 1 && this.#byName.get(segments[0] ?? '') === upstream;
    return isPrefixed ? segments.slice(1) : segments;
  }
}

function repositoryOf(upstream: RoutedUpstream, segments: readonly string[]): RepositoryName {
  const [first = ''] = segments;
  // On Docker Hub no name has a dot or a colon in its first segment: it is a registry that is not configured.
  if (upstream.addLibrary && segments.length > 1 && /[.:]/.test(first)) {
    throw new RegistryError('NAME_UNKNOWN', `the mirror has no upstream ${quoted(first)}`);
  }
  const name = parseRepositoryName(segments.join('/'));
  return upstream.addLibrary && segments.length === 1 ? parseRepositoryName(`library/${name}`) : name;
}
