import { rename, writeFile } from 'node:fs/promises';
import { formatInventory, mergeInventories, type Inventory } from '../layout/inventory.ts';
import { readInventory } from '../reading/bundle-inventory.ts';
import { openBundle } from '../reading/open-bundle.ts';

/** Writes what the other side will have once it has imported a bundle. @param known what it has already */
export async function saveInventory(path: string, bundle: string, known: Inventory): Promise<void> {
  const brought = await readInventory((await openBundle(bundle)).entries());
  const partial = `${path}.partial`;
  await writeFile(partial, formatInventory(mergeInventories([known, brought])));
  await rename(partial, path);
}
