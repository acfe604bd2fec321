import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The file of checksums, in the format of `sha256sum`. People sign it with what they have. */
export const CHECKSUMS_FILE = 'SHA256SUMS';

/** Bytes of a file, hashed. */
export interface Checksum {
  readonly path: string;
  /** SHA-256 in hex. */
  readonly sha256: string;
}

/** Writes the checksums of files into `SHA256SUMS` beside a bundle; lines of other files stay. @returns its path */
export async function writeChecksums(bundle: string, checksums: readonly Checksum[]): Promise<string> {
  const directory = dirname(bundle);
  const file = join(directory, CHECKSUMS_FILE);
  const lines = (await readFile(file, 'utf8').catch(ignoreMissing)).split('\n').filter((line) => line !== '');
  const names = checksums.map(({ path }) => nameIn(directory, path));
  const kept = lines.filter((line) => !names.includes(line.slice(66)));
  const added = checksums.map(({ sha256 }, position) => `${sha256}  ${names[position]}`);
  const partial = join(directory, `.${CHECKSUMS_FILE}.partial`);
  await writeFile(partial, `${[...kept, ...added].join('\n')}\n`);
  await rename(partial, file);
  return file;
}

function nameIn(directory: string, path: string): string {
  return dirname(path) === directory ? basename(path) : path.slice(directory.length + 1);
}

function ignoreMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
