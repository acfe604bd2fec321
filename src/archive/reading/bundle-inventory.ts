import { readDescriptor, readDescriptors } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { MAX_MANIFEST_BYTES, parseJsonObject } from '../../oci/documents/json.ts';
import { RegistryError } from '../../oci/error.ts';
import { BundleError } from '../bundle-error.ts';
import type { Inventory } from '../layout/inventory.ts';
import { parseLayoutIndex, type LayoutRoot } from '../layout/layout-index.ts';
import { digestOfPath, INDEX_FILE } from '../layout/paths.ts';
import type { BundleEntry } from './bundle-entry.ts';

/**
 * Finds out what a bundle brings to whom: of each repository that its names name, the blobs in it to which those names
 * lead. What the bundle leaves out is not in the inventory.
 * @throws BundleError if it is no image layout; what reading the entries throws
 */
export async function readInventory(entries: AsyncIterable<BundleEntry>): Promise<Inventory> {
  const children = new Map<Digest, readonly Digest[]>();
  let roots: readonly LayoutRoot[] | undefined;
  for await (const entry of entries) {
    const digest = digestOfPath(entry.path);
    if (digest !== undefined) children.set(digest, await readChildren(entry));
    else if (entry.path === INDEX_FILE) roots = await readRoots(entry);
  }
  if (roots === undefined) throw new BundleError(`it has no ${INDEX_FILE}`);
  const inventory = new Map<string, Set<Digest>>();
  for (const { name, descriptor } of roots) {
    if (name === undefined) continue;
    const path = `${name.key.registry}/${name.key.repository}`;
    const digests = inventory.get(path) ?? new Set<Digest>();
    inventory.set(path, digests);
    addClosure(digests, descriptor.digest, children);
  }
  return inventory;
}

function addClosure(
  digests: Set<Digest>,
  root: Digest,
  children: ReadonlyMap<Digest, readonly Digest[]>,
): void {
  const waiting = [root];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    const own = children.get(digest);
    if (own === undefined || digests.has(digest)) continue;
    digests.add(digest);
    waiting.push(...own);
  }
}

/** Returns what a manifest refers to; nothing for any other blob. */
async function readChildren(entry: BundleEntry): Promise<readonly Digest[]> {
  if (entry.size > MAX_MANIFEST_BYTES) return [];
  const bytes = await readAll(entry);
  if (bytes[0] !== 0x7b) return [];
  try {
    const { config, layers, manifests } = parseJsonObject(bytes);
    const descriptors = [readDescriptor(config), ...readDescriptors(layers), ...readDescriptors(manifests)];
    return descriptors.flatMap((descriptor) => descriptor?.digest ?? []);
  } catch (error) {
    if (error instanceof RegistryError) return [];
    throw error;
  }
}

async function readRoots(entry: BundleEntry): Promise<readonly LayoutRoot[]> {
  if (entry.size > MAX_MANIFEST_BYTES) throw new BundleError(`its ${INDEX_FILE} has ${entry.size} bytes`);
  try {
    return parseLayoutIndex(await readAll(entry));
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new BundleError(`its ${INDEX_FILE} cannot be read: ${error.message}`, { cause: error });
  }
}

async function readAll({ bytes }: BundleEntry): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
