import type { BlobIndex } from '../index/blob-index.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';

/**
 * Records bytes that were just committed. If that fails, the bytes are deleted: without a row they would never be
 * evicted. Bytes that the index knew before are kept, and served as before.
 * @throws the error of `record`
 */
export async function recordOrDrop(
  { store, index }: { readonly store: BlobStore; readonly index: BlobIndex },
  digest: Digest,
  record: () => Promise<void>,
): Promise<void> {
  const known = await index.blob(digest).catch(() => undefined);
  try {
    await record();
  } catch (error) {
    // The first failure is the one to report.
    if (known === undefined) await store.delete(digest).catch(() => {});
    throw error;
  }
}
