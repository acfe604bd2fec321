import type { RepositoryKey } from '../index/repository-key.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';

/** What a registry is called, and how repositories are named by it. All names in lower case. */
export interface RegistryNames {
  /** By which it is known here. */
  readonly name: string;
  /** Other names for it: what `ns`, path prefixes and operators may say. */
  readonly aliases: readonly string[];
  /** Whether `debian` means `library/debian` (Docker Hub). */
  readonly addLibrary: boolean;
}

/**
 * The repository of a registry that is called so.
 * @throws RegistryError NAME_INVALID
 */
export function keyOf({ name, addLibrary }: RegistryNames, segments: readonly string[]): RepositoryKey {
  const repository = parseRepositoryName(segments.join('/'));
  const isShort = addLibrary && segments.length === 1;
  return { registry: name, repository: isShort ? parseRepositoryName(`library/${repository}`) : repository };
}
