import { digestAlgorithm, digestHex, isDigest, type Digest } from '../../oci/digest.ts';

/** The file that marks an image layout, and names its version. */
export const LAYOUT_FILE = 'oci-layout';

/** The file that lists the manifests of a layout. */
export const INDEX_FILE = 'index.json';

/** The content of `oci-layout`. */
export const LAYOUT_BYTES: Uint8Array = new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}');

/** Returns the path of a blob or a manifest in a layout (image-spec image-layout.md, "Blobs"). */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/**
 * Returns the digest of which a path is the blob; undefined for any other path. `tar -c .` writes `./` before each
 * path.
 */
export function digestOfPath(path: string): Digest | undefined {
  const match = /^(?:\.\/)?blobs\/(sha256|sha512)\/([a-f0-9]+)$/.exec(path);
  const digest = `${match?.[1]}:${match?.[2]}`;
  return isDigest(digest) ? digest : undefined;
}
