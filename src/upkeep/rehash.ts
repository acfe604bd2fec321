import { createDigester, digestAlgorithm } from '../oci/digest.ts';
import type { BlobStore, Stored } from '../store/blob-store.ts';
import { isUnreadable, VerificationError } from '../store/error.ts';

/**
 * Bytes of a read. Large reads need few system calls; hashing one takes a millisecond or two, and no other work waits
 * longer than that.
 */
const SLICE = 1024 * 1024;

/** What the hash of a blob has shown. */
export type Finding =
  | { readonly kind: 'right' }
  /** The blob was evicted or deleted meanwhile. */
  | { readonly kind: 'gone' }
  /** Its bytes are wrong, or the disk cannot give them back. */
  | { readonly kind: 'wrong'; readonly error: Error };

/**
 * Reads a whole blob and hashes it.
 * @param spend called for every slice; may wait
 * @throws StoreError if reading fails for a reason other than the blob; what `spend` throws
 */
export async function rehashBlob(
  store: BlobStore,
  blob: Stored,
  spend: (bytes: number) => Promise<void>,
): Promise<Finding> {
  try {
    const actual = await hashStored(store, blob, spend);
    if (actual === undefined) return { kind: 'gone' };
    if (actual === blob.digest) return { kind: 'right' };
    const message = `the stored bytes have the digest ${actual}`;
    return { kind: 'wrong', error: new VerificationError(blob, message) };
  } catch (error) {
    if (error instanceof VerificationError || isUnreadable(error)) return { kind: 'wrong', error };
    throw error;
  }
}

async function hashStored(
  store: BlobStore,
  blob: Stored,
  spend: (bytes: number) => Promise<void>,
): Promise<string | undefined> {
  const reader = await store.open(blob.digest);
  if (reader === undefined) return undefined;
  try {
    const size = reader.size ?? blob.size;
    if (size !== blob.size) throw new VerificationError(blob, `${size} bytes are left of ${blob.size}`);
    const digester = createDigester(digestAlgorithm(blob.digest));
    const slice = Buffer.allocUnsafeSlow(Math.min(SLICE, Math.max(1, size)));
    for (let position = 0; position < size;) {
      const count = await reader.read(slice, position);
      digester.update(slice.subarray(0, count));
      position += count;
      await spend(count);
    }
    return digester.digest();
  } finally {
    await reader.close();
  }
}
