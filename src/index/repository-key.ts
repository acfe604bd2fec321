import type { RepositoryName } from '../oci/repository-name.ts';

/** One repository of one registry. */
export interface RepositoryKey {
  /** The registry's name; of a mirrored one the upstream's, as the config has it. */
  readonly registry: string;
  readonly repository: RepositoryName;
}
