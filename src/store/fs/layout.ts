import { access, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { digestAlgorithm, digestHex, type Digest, type DigestAlgorithm } from '../../oci/digest.ts';
import { createDirectory, prepareDirectory, usingDirectory } from './directory.ts';
import { attemptUnlessAbsent } from './io.ts';

/** Images may be private: only the server's user reads the cache's files. */
export const FILE_MODE = 0o600;

export const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/** Paths in a cache directory; `blobs` is that of an OCI image layout (image-spec image-layout.md). */
export interface Layout {
  readonly directory: string;
  readonly ingest: string;
  readonly quarantine: string;
  readonly blobs: (algorithm: DigestAlgorithm) => string;
  readonly blob: (digest: Digest) => string;
}

/** Returns the absolute paths of the layout in the directory; touches no file. */
export function layoutOf(directory: string): Layout {
  const root = resolve(directory);
  const blobs = (algorithm: DigestAlgorithm): string => join(root, 'blobs', algorithm);
  return {
    directory: root,
    ingest: join(root, 'ingest'),
    quarantine: join(root, 'quarantine'),
    blobs,
    blob: (digest) => join(blobs(digestAlgorithm(digest)), digestHex(digest)),
  };
}

/**
 * Creates what is missing of the layout in the directory.
 * @param probeName name of a file in `ingest/` that is created and removed to see whether the directory is writable.
 * @throws StoreError that names the directory and says why it cannot be used.
 */
export async function prepareLayout(layout: Layout, probeName: string): Promise<void> {
  await prepareDirectory(layout.directory);
  await usingDirectory(layout.directory, async () => {
    await createFolders(layout);
    const probePath = join(layout.ingest, probeName);
    await probe(probePath);
    await createLayoutFiles(layout, probePath);
  });
}

async function createFolders(layout: Layout): Promise<void> {
  for (const path of [...ALGORITHMS.map(layout.blobs), layout.ingest, layout.quarantine]) {
    await createDirectory(path);
  }
}

// Other tools accept the directory as a layout only if both files are there. index.json need not list the blobs in
// blobs/.
async function createLayoutFiles(layout: Layout, temporaryPath: string): Promise<void> {
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };
  await createFile(join(layout.directory, 'oci-layout'), { imageLayoutVersion: '1.0.0' }, temporaryPath);
  await createFile(join(layout.directory, 'index.json'), index, temporaryPath);
}

/** Creates a file whole or not at all: an existing file is never rewritten, so a truncated one would stay truncated. */
async function createFile(path: string, content: unknown, temporaryPath: string): Promise<void> {
  if (await exists(path)) return;
  await writeFile(temporaryPath, JSON.stringify(content), { flag: 'wx', mode: FILE_MODE, flush: true });
  await rename(temporaryPath, path);
}

async function exists(path: string): Promise<boolean> {
  const found = await attemptUnlessAbsent(`look for ${path}`, () => access(path).then(() => true));
  return found === true;
}

async function probe(path: string): Promise<void> {
  await writeFile(path, '', { flag: 'wx', mode: FILE_MODE });
  await rm(path);
}
