import type { Digest } from '../../oci/digest.ts';
import type { ImageName } from '../layout/image-name.ts';

/** A manifest that a bundle lists. */
export interface Root {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  /** The names that the bundle gives it: full ones, such as `docker.io/library/debian:12`, or tags alone. */
  readonly names: readonly string[];
}

/** A manifest that a bundle lists, under one of its names. */
export interface RootWithName {
  readonly root: Pick<Root, 'digest' | 'mediaType' | 'size'>;
  readonly name: ImageName;
}
