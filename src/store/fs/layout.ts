import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { digestAlgorithm, digestHex, type Digest, type DigestAlgorithm } from '../../oci/digest.ts';
import { StoreError } from '../blob-store.ts';
import { attempt, isErrno } from './io.ts';

/** Images may be private: nobody but the owner and the group reads the cache. */
export const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

export const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/** Where things are in a cache directory; `blobs` is that of an OCI image layout (image-spec image-layout.md). */
export interface Layout {
  readonly directory: string;
  readonly ingest: string;
  readonly quarantine: string;
  readonly blobs: (algorithm: DigestAlgorithm) => string;
  readonly blob: (digest: Digest) => string;
}

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
 * Makes the directory what the layout says, as far as it is not.
 * @param probeName for a file that is created and removed to see whether the directory can be written to.
 * @throws StoreError that names the directory and what is wrong with it.
 */
export async function prepareLayout(layout: Layout, probeName: string): Promise<void> {
  try {
    await mkdir(layout.directory, { recursive: true, mode: DIRECTORY_MODE });
    await createFolders(layout);
    await createLayoutFiles(layout);
    await probe(join(layout.ingest, probeName));
  } catch (error) {
    throw new StoreError(await describeUse(layout.directory, error), error);
  }
}

/** Makes a rename or a removal in the directory survive a power failure. Throws StoreError. */
export async function syncDirectory(path: string): Promise<void> {
  await attempt(`sync ${path}`, async () => {
    await using handle = await open(path, 'r');
    await handle.sync();
  });
}

async function createFolders(layout: Layout): Promise<void> {
  for (const path of [...ALGORITHMS.map(layout.blobs), layout.ingest, layout.quarantine]) {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  }
}

// Both files must be there for other tools to take the directory as a layout; nothing needs to be listed in
// index.json for blobs to be in blobs/.
async function createLayoutFiles(layout: Layout): Promise<void> {
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };
  await createFile(join(layout.directory, 'oci-layout'), { imageLayoutVersion: '1.0.0' });
  await createFile(join(layout.directory, 'index.json'), index);
}

async function createFile(path: string, content: unknown): Promise<void> {
  try {
    await writeFile(path, JSON.stringify(content), { flag: 'wx', mode: FILE_MODE });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

async function probe(path: string): Promise<void> {
  await writeFile(path, '', { flag: 'wx', mode: FILE_MODE });
  await rm(path);
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'it, or what it is in, is not a directory',
};

async function describeUse(directory: string, error: unknown): Promise<string> {
  const isFile = await stat(directory).then(
    (stats) => !stats.isDirectory(),
    () => false,
  );
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const problem = isFile ? 'it is not a directory' : PROBLEMS[code];
  return `use ${directory} as the cache directory${problem === undefined ? '' : ` (${problem})`}`;
}
