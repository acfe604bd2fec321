import { readWhole } from '../store/read-whole.ts';
import { isUnreadable } from '../store/error.ts';
import type { AdoptedManifest } from '../index/content-survey.ts';
import { MAX_MANIFEST_BYTES } from '../oci/documents/json.ts';
import type { BlobReader, Listed } from '../store/blob-store.ts';
import type { MaintainedContent } from './maintained-content.ts';
import { setAside, type OnBroken } from './findings.ts';
import { mayBeManifest, recogniseManifest } from './recognise.ts';

const HEAD_BYTES = 64;

export type Adoption = 'known' | 'blob' | 'manifest' | 'unreadable';

/**
 * Writes a row for bytes that have none: with their size on the disk, the time at which they were stored (as their last
 * use) and, for a manifest, what it refers to. Does not hash them: the next `verify` does.
 * @throws StoreError, IndexError
 */
export async function adoptBlob(
  content: MaintainedContent,
  blob: Listed,
  onBroken: OnBroken,
): Promise<Adoption> {
  const { index, clock } = content;
  if ((await index.blob(blob.digest)) !== undefined) return 'known';
  try {
    const manifest = await readManifest(content, blob);
    const usedAt = Math.min(blob.storedAt ?? clock.now(), clock.now());
    if (!(await index.adopt(blob, usedAt, manifest))) return 'known';
    await forgetIfGone(content, blob);
    return manifest === undefined ? 'blob' : 'manifest';
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    await setAside(content, blob.digest, error, onBroken);
    return 'unreadable';
  }
}

/** Deletes the row again if the bytes were evicted while they were being adopted. */
async function forgetIfGone({ store, index }: MaintainedContent, { digest }: Listed): Promise<void> {
  if ((await store.stat(digest)) === undefined) await index.deleteBlob(digest);
}

async function readManifest(
  { store }: MaintainedContent,
  { digest, size }: Listed,
): Promise<AdoptedManifest | undefined> {
  // So most layers need not be opened.
  if (size === 0 || size > MAX_MANIFEST_BYTES) return undefined;
  const reader = await store.open(digest);
  if (reader === undefined) return undefined;
  try {
    if (!mayBeManifest(await readHead(reader))) return undefined;
    return recogniseManifest(digest, await readWhole(reader));
  } finally {
    await reader.close();
  }
}

async function readHead(reader: BlobReader): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD_BYTES);
  return head.subarray(0, await reader.read(head, 0));
}
