import type { StoredManifest } from '../content/stored-manifest.ts';
import type { Digest } from '../oci/digest.ts';
import type { Outcome } from './outcome.ts';

export interface PulledManifest {
  readonly manifest: StoredManifest;
  readonly outcome: Outcome;
}

/** The headers of a manifest. `size` in bytes. */
export interface ToldManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** The headers of a manifest, and how they came about. */
export interface ManifestHead extends ToldManifest {
  readonly outcome: Outcome;
}
