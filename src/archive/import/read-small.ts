import { digestAlgorithm, digestOf, type Digest } from '../../oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../oci/documents/json.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import { readWhole } from '../../store/read-whole.ts';
import { BundleError } from '../bundle-error.ts';

/** Reads a stored manifest or config. @throws BundleError if it has gone, or is too large for one; StoreError */
export async function readSmall(store: BlobStore, digest: Digest): Promise<Uint8Array> {
  const reader = await store.open(digest);
  if (reader === undefined) throw new BundleError(`${digest} has gone from the cache meanwhile`);
  if ((reader.size ?? 0) > MAX_MANIFEST_BYTES) {
    await reader.close();
    throw new BundleError(`${digest} has ${reader.size} bytes: at most ${MAX_MANIFEST_BYTES}`);
  }
  const bytes = await readWhole(reader);
  if (digestOf(bytes, digestAlgorithm(digest)) === digest) return bytes;
  throw new BundleError(`${digest} is damaged in the cache: run larder verify --repair`);
}
