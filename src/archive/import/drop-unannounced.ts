import type { Digest } from '../../oci/digest.ts';
import type { ImportCache } from './import-options.ts';

/**
 * Deletes what an import has stored and given to no repository: nothing would ask for it again. What another request
 * has given to a repository meanwhile stays.
 * @throws StoreError, IndexError
 */
export async function dropUnannounced(
  { store, index }: Pick<ImportCache, 'store' | 'index'>,
  added: Iterable<Digest>,
  announced: ReadonlySet<Digest>,
): Promise<void> {
  for (const digest of added) {
    if (announced.has(digest) || (await index.repositoriesOf(digest, 1)).length > 0) continue;
    await store.delete(digest);
    await index.deleteBlob(digest);
  }
}
