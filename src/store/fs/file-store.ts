import { randomBytes } from 'node:crypto';
import { opendir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, type Digest } from '../../oci/digest.ts';
import type { BlobReader, BlobStore, Listed, Stored } from '../blob-store.ts';
import type { Quarantine } from '../capabilities.ts';
import { SpooledIngest } from '../ingest.ts';
import { Progress } from '../progress.ts';
import { ProgressReader } from '../reader.ts';
import { FileSource } from './file-source.ts';
import { FileSpool } from './file-spool.ts';
import { freeBytes } from './free-bytes.ts';
import { attempt, attemptUnlessAbsent } from './io.ts';
import { ALGORITHMS, layoutOf, prepareLayout, type Layout } from './layout.ts';
import { QuarantineFolder, quarantineNameOf, type QuarantineLimits } from './quarantine.ts';
import { Syncs } from './syncing/syncs.ts';

export interface FileStoreOptions {
  /** The cache directory; created if it is missing. */
  readonly directory: string;
  /** Returns a file name that was never used before. */
  readonly random?: () => string;
  /** Limits on what the quarantine keeps. Default: 16 files and 1 GiB. */
  readonly quarantine?: QuarantineLimits;
  /** Maximum number of syncs at once. Default: 1. */
  readonly syncs?: number;
}

/** A store whose blobs are files, in `blobs/` of an OCI image layout. */
export interface FileStore extends BlobStore {
  readonly quarantine: Quarantine;
  readonly freeBytes: () => Promise<number>;
  /**
   * Removes what a crash has left in `ingest/`. Must be called under the directory's lock and before the first ingest:
   * it cannot tell a leftover from a running ingest.
   * @returns the number of files removed.
   * @throws StoreError
   */
  sweepIngest(): Promise<number>;
}

const QUARANTINE_LIMITS: QuarantineLimits = { files: 16, bytes: 1024 ** 3 };

/** @throws StoreError if the directory is not usable, with the reason. */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore> {
  const layout = layoutOf(options.directory);
  const random = options.random ?? randomName;
  await prepareLayout(layout, random());
  const quarantine = new QuarantineFolder(layout.quarantine, options.quarantine ?? QUARANTINE_LIMITS);
  const syncs = new Syncs(options.syncs ?? 1);
  return {
    stat: (digest) => statBlob(layout, digest),
    open: (digest) => openBlob(layout, digest),
    ingest: (options) =>
      SpooledIngest.begin(options, () => FileSpool.create(layout, random(), { quarantine, syncs })),
    delete: (digest) => deleteBlob(layout, digest),
    list: () => listBlobs(layout),
    quarantine: {
      setAside: (digest) => quarantine.setAside(layout.blob(digest), quarantineNameOf(digest, random())),
      stats: () => quarantine.stats(),
      drop: (bytes) => quarantine.drop(bytes),
    },
    freeBytes: () => freeBytes(layout.directory),
    sweepIngest: () => sweep(layout.ingest),
  };
}

function randomName(): string {
  return randomBytes(16).toString('hex');
}

async function statBlob(layout: Layout, digest: Digest): Promise<Stored | undefined> {
  const listed = await describeBlob(layout, digest);
  return listed && { digest, size: listed.size };
}

/** Takes the file's last write, which a rename does not change, as the time of the commit a moment later. */
async function describeBlob(layout: Layout, digest: Digest): Promise<Listed | undefined> {
  const path = layout.blob(digest);
  const stats = await attemptUnlessAbsent(`stat ${path}`, () => stat(path));
  return stats && { digest, size: stats.size, storedAt: Math.trunc(stats.mtimeMs) };
}

async function openBlob(layout: Layout, digest: Digest): Promise<BlobReader | undefined> {
  const path = layout.blob(digest);
  const source = await attemptUnlessAbsent(`open ${path}`, () => FileSource.open(path));
  if (source === undefined) return undefined;
  try {
    return new ProgressReader(Progress.complete(await source.size()), source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function deleteBlob(layout: Layout, digest: Digest): Promise<boolean> {
  const path = layout.blob(digest);
  const deleted = await attemptUnlessAbsent(`delete ${path}`, async () => {
    await rm(path);
    return true;
  });
  return deleted ?? false;
}

async function* listBlobs(layout: Layout): AsyncGenerator<Listed> {
  for (const algorithm of ALGORITHMS) {
    const path = layout.blobs(algorithm);
    const folder = await attempt(`list ${path}`, () => opendir(path, { bufferSize: 1024 }));
    for await (const { name } of folder) {
      const digest = `${algorithm}:${name}`;
      const listed = isDigest(digest) ? await describeBlob(layout, digest) : undefined;
      if (listed !== undefined) yield listed;
    }
  }
}

async function sweep(directory: string): Promise<number> {
  return attempt(`sweep ${directory}`, async () => {
    const names = await readdir(directory);
    for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
    return names.length;
  });
}
