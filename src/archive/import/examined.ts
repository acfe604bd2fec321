import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/manifest.ts';

/** A manifest of an image, read and found whole. */
export interface ExaminedManifest {
  readonly digest: Digest;
  readonly size: number;
  readonly manifest: Manifest;
}

/** What an image consists of, as far as the bundle and the repository have it. */
export interface Examined {
  /** Its manifests, what a manifest leads to before the manifest itself. */
  readonly manifests: readonly ExaminedManifest[];
  /** Its configs and layers. */
  readonly blobs: readonly Digest[];
  /** Why it is not whole; empty if it is. */
  readonly problems: readonly string[];
  /** Images of an index that the bundle leaves out. */
  readonly leftOut: readonly Descriptor[];
  /** Layers that by their type are not in a registry, and not in the bundle. */
  readonly elsewhere: readonly Digest[];
}
