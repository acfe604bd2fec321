import type { RepositoryKey } from '../index/repository-key.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';

/** The names of a registry, and how its repositories are named. All names are in lower case. */
export interface RegistryNames {
  /** The registry's own name, by which Larder knows it. */
  readonly name: string;
  /** Other names for it, which `ns`, path prefixes and operators may use. */
  readonly aliases: readonly string[];
  /** Whether `debian` means `library/debian` (Docker Hub). */
  readonly addLibrary: boolean;
}

/**
 * Returns the key of the repository that a path names in a registry.
 * @throws RegistryError NAME_INVALID
 */
export function keyOf({ name, addLibrary }: RegistryNames, segments: readonly string[]): RepositoryKey {
  const repository = parseRepositoryName(segments.join('/'));
  const isShort = addLibrary && segments.length === 1;
  return { registry: name, repository: isShort ? parseRepositoryName(`library/${repository}`) : repository };
}
