import { open, readFile } from 'node:fs/promises';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import { mergeInventories, parseInventory, type Inventory } from '../layout/inventory.ts';
import { readInventory } from './bundle-inventory.ts';
import { openBundle } from './open-bundle.ts';

/** Of 100,000 digests: no bundle has half as many. */
const MAX_INVENTORY_BYTES = 16 * 1024 * 1024;

/**
 * Reads what the other side has got by earlier bundles: from the bundles themselves, or from inventories.
 * @throws BundleError that names the file
 */
export async function readKnown(paths: readonly string[]): Promise<Inventory> {
  const inventories: Inventory[] = [];
  for (const path of paths) {
    try {
      inventories.push(await readOne(path));
    } catch (error) {
      throw new BundleError(`cannot read ${quoted(path)}: ${(error as Error).message}`, { cause: error });
    }
  }
  return mergeInventories(inventories);
}

async function readOne(path: string): Promise<Inventory> {
  if (!(await isInventory(path))) return readInventory((await openBundle(path)).entries());
  return parseInventory(await readFile(path));
}

/** Whether it is a file that begins as JSON, which no archive does. */
async function isInventory(path: string): Promise<boolean> {
  await using handle = await open(path);
  const stats = await handle.stat();
  if (!stats.isFile() || stats.size > MAX_INVENTORY_BYTES) return false;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0);
  return bytesRead === 1 && buffer[0] === 0x7b;
}
