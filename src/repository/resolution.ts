import type { StoredManifest } from '../content/stored-manifest.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Outcome } from './outcome.ts';
import type { ToldManifest } from './pulled-manifest.ts';

/** The digest that a reference stands for, and what else was found with it. */
export interface Resolution {
  readonly reference: Reference;
  readonly digest: Digest;
  /** How the digest was found. */
  readonly outcome: Outcome;
  /** The headers of the manifest, if all were found with the digest. */
  readonly head?: ToldManifest | undefined;
  /** The manifest itself, if it had to be fetched to find the digest. */
  readonly manifest?: StoredManifest | undefined;
}
