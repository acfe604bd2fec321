import type { RepositoryName } from '../oci/repository-name.ts';

/** One repository of one registry. */
export interface RepositoryKey {
  /** The registry's name; for a mirrored registry, the upstream's name in the config. */
  readonly registry: string;
  readonly repository: RepositoryName;
}
