import type { Clock } from '../clock.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import type { ManifestIndex } from '../index/manifest-index.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import { documentType } from '../oci/documents/document-type.ts';
import { parseJsonObject } from '../oci/documents/json.ts';
import { manifestEdges, referrerDescriptor, type Manifest as ParsedManifest } from '../oci/manifest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { recordOrDrop } from './record-or-drop.ts';
import type { StoredBlobs } from './stored-blobs.ts';
import type { StoredManifest } from './stored-manifest.ts';

interface WriteOptions {
  readonly store: BlobStore;
  readonly index: BlobIndex & ManifestIndex;
  readonly clock: Clock;
}

/**
 * Stores the manifest of a repository, and records what it refers to.
 * @param vouched digests that it refers to; they are recorded as confirmed, not as claimed, if the registry has given
 * them
 * @throws StoreError, IndexError
 */
export async function writeManifest(
  { store, index, clock }: WriteOptions,
  key: RepositoryKey,
  { digest, bytes }: StoredManifest,
  parsed: ParsedManifest,
  vouched: ReadonlySet<Digest> | undefined,
): Promise<void> {
  await using ingest = await store.ingest({ digest, size: bytes.length });
  await ingest.write([bytes]);
  await ingest.commit();
  const entry = {
    descriptor: referrerDescriptor(parsed, { digest, size: bytes.length }),
    subject: parsed.subject?.digest,
  };
  const stored = { usedAt: clock.now() };
  await recordOrDrop({ store, index }, digest, () =>
    index.putManifest(key, entry, manifestEdges(parsed), { stored, vouched }),
  );
}

interface ReadOptions {
  readonly stored: StoredBlobs;
  readonly index: ManifestIndex;
}

/**
 * Reads a manifest as a registry gives it, no matter which of its repositories it belongs to. Manifests are small, so
 * their bytes are verified whenever they are read from the disk.
 * @returns undefined if it is not stored
 * @throws StoreError, IndexError
 */
export async function readManifest(
  { stored, index }: ReadOptions,
  registry: string,
  digest: Digest,
): Promise<StoredManifest | undefined> {
  if ((await index.manifest(digest)) === undefined) return undefined;
  const registryType = await index.manifestType(registry, digest);
  const reader = await stored.open(digest);
  if (reader === undefined) return undefined;
  const bytes = await stored.readVerified(digest, reader);
  if (bytes === undefined) return undefined;
  // If this registry has told no type, the type in the document counts, never the type that another registry told.
  const mediaType = registryType ?? documentType(parseJsonObject(bytes));
  return mediaType === undefined ? undefined : { digest, mediaType, bytes };
}
