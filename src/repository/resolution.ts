import type { StoredManifest } from '../content/stored-manifest.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Outcome } from './outcome.ts';
import type { ToldManifest } from './pulled-manifest.ts';

/** What a reference stands for. */
export interface Resolution {
  readonly reference: Reference;
  readonly digest: Digest;
  /** How the digest was found. */
  readonly outcome: Outcome;
  /** The headers of the manifest, where finding the digest has told all of them. */
  readonly head?: ToldManifest | undefined;
  /** The manifest itself, where finding the digest took fetching it. */
  readonly manifest?: StoredManifest | undefined;
}
