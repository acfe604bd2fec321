import type { Digest } from '../oci/digest.ts';

/** A manifest as it is served: byte-exact, with its own media type. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}
