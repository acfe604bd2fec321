import { parseDigest, type Digest } from '../../oci/digest.ts';
import { isJsonObject } from '../../oci/documents/json.ts';
import { quoted } from '../../text/quoted.ts';

/**
 * What another network has: of each repository, written `registry/repository`, the digests. A digest that it has in one
 * repository it may not serve from another, so a bundle leaves out only what the same repository has.
 */
export type Inventory = ReadonlyMap<string, ReadonlySet<Digest>>;

const VERSION = 1;

/** Writes an inventory, always in the same order. */
export function formatInventory(inventory: Inventory): Uint8Array {
  const repositories = Object.fromEntries(
    [...inventory].toSorted(byPath).map(([path, digests]) => [path, [...digests].toSorted()]),
  );
  return new TextEncoder().encode(`${JSON.stringify({ version: VERSION, repositories }, null, 1)}\n`);
}

/**
 * Reads what `formatInventory` writes.
 * @throws Error that says what is wrong
 */
export function parseInventory(bytes: Uint8Array): Inventory {
  const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!isJsonObject(document) || !isJsonObject(document['repositories']))
    throw new Error('no "repositories"');
  if (document['version'] !== VERSION) throw new Error(`"version" is not ${VERSION}`);
  return new Map(
    Object.entries(document['repositories']).map(([path, list]) => [path, readDigests(path, list)]),
  );
}

function readDigests(path: string, list: unknown): ReadonlySet<Digest> {
  if (!Array.isArray(list)) throw new Error(`${quoted(path)} has no list of digests`);
  return new Set(list.map((digest: unknown) => parseDigest(String(digest))));
}

/** Returns what is in any of the inventories. */
export function mergeInventories(inventories: readonly Inventory[]): Inventory {
  const merged = new Map<string, Set<Digest>>();
  for (const [path, digests] of inventories.flatMap((inventory) => [...inventory])) {
    const all = merged.get(path) ?? new Set<Digest>();
    for (const digest of digests) all.add(digest);
    merged.set(path, all);
  }
  return merged;
}

function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
