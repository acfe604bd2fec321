import type { BlobIndex } from '../index/blob-index.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';

/**
 * Records bytes that were just committed. Where that fails they are not kept: what nothing knows of would never be
 * evicted. What the index knew before is spared: it is served as before.
 * @throws what `record` throws
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
    // The first failure is the one to tell.
    if (known === undefined) await store.delete(digest).catch(() => {});
    throw error;
  }
}
