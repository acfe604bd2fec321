import type { Clock } from '../clock.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import type { ManifestIndex } from '../index/manifest-index.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import { documentType } from '../oci/document-type.ts';
import { parseJsonObject } from '../oci/json.ts';
import { manifestEdges, referrerDescriptor, type Manifest as ParsedManifest } from '../oci/manifest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { recordOrDrop } from './record.ts';
import type { StoredBlobs } from './stored-blobs.ts';
import type { StoredManifest } from './stored-manifest.ts';

interface WriteOptions {
  readonly store: BlobStore;
  readonly index: BlobIndex & ManifestIndex;
  readonly clock: Clock;
}

/**
 * Stores the manifest of a repository, and records what it says.
 * @param vouched of what it refers to: what needs no other proof where its registry has given it
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
 * Reads a manifest as a registry gives it, whichever of its repositories it belongs to. Manifests are small: what the
 * disk gives back is checked every time it is read.
 * @returns undefined where it is not here
 * @throws StoreError, IndexError
 */
export async function readManifest(
  { stored, index }: ReadOptions,
  registry: string,
  digest: Digest,
): Promise<StoredManifest | undefined> {
  if ((await index.manifest(digest)) === undefined) return undefined;
  const given = await index.manifestType(registry, digest);
  const reader = await stored.open(digest);
  if (reader === undefined) return undefined;
  const bytes = await stored.readVerified(digest, reader);
  if (bytes === undefined) return undefined;
  // Where the registry has not given it, it counts as what it says of itself, never as what another one says.
  const mediaType = given ?? documentType(parseJsonObject(bytes));
  return mediaType === undefined ? undefined : { digest, mediaType, bytes };
}
