import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import { fileBytes } from '../reading/file-bytes.ts';
import { readDirectory } from '../reading/read-directory.ts';
import { TAR_END, tarHeader, tarPadding } from '../write/tar-header.ts';

/** A bundle on the disk of the program that uploads it. */
export interface UploadSource {
  /** Bytes. */
  readonly size: number;
  /** Tells the bundle from others, so that an upload of it that was interrupted is found again: 64 hex digits. */
  readonly fingerprint: string;
  /** Reads the bytes from `start` on; always the same ones. */
  readonly bytes: (start: number) => AsyncIterable<Uint8Array>;
}

/** Bytes at each end of a file that its fingerprint is made of: a whole file would have to be read twice. */
const ENDS = 1024 * 1024;

/**
 * Opens a bundle to upload it: a file as it is, a directory as a tar archive that is made on the way.
 * @throws BundleError, the errors of the file system
 */
export async function uploadSource(path: string): Promise<UploadSource> {
  const stats = await stat(path);
  if (stats.isDirectory()) return directorySource(path);
  if (!stats.isFile()) throw new BundleError(`${quoted(path)} is neither a file nor a directory`);
  if (stats.size === 0) throw new BundleError(`${quoted(path)} is empty`);
  return fileSource(path, stats.size);
}

async function fileSource(path: string, size: number): Promise<UploadSource> {
  const hash = createHash('sha256').update(`file ${size}\n`);
  await using handle = await open(path);
  for (const position of [0, Math.max(0, size - ENDS)]) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(ENDS), 0, ENDS, position);
    hash.update(buffer.subarray(0, bytesRead));
  }
  return { size, fingerprint: hash.digest('hex'), bytes: (start) => readFrom(path, start) };
}

async function* readFrom(path: string, start: number): AsyncGenerator<Uint8Array> {
  await using handle = await open(path);
  yield* fileBytes(handle, () => {}, start);
}

/** The fingerprint is made of all paths and sizes, and of what lies directly in the directory: the list of images. */
async function directorySource(directory: string): Promise<UploadSource> {
  const hash = createHash('sha256').update('directory\n');
  let size = TAR_END.length;
  for await (const { path, size: bytes, bytes: content } of readDirectory(directory)) {
    const header = await tarHeader(path, bytes);
    size += header.length + bytes + tarPadding(bytes);
    hash.update(header);
    if (!path.includes('/') && bytes <= ENDS) for await (const chunk of content) hash.update(chunk);
  }
  return { size, fingerprint: hash.digest('hex'), bytes: (start) => after(start, packed(directory)) };
}

async function* packed(directory: string): AsyncGenerator<Uint8Array> {
  for await (const { path, size, bytes } of readDirectory(directory)) {
    yield await tarHeader(path, size);
    yield* bytes;
    yield new Uint8Array(tarPadding(size));
  }
  yield TAR_END;
}

async function* after(start: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = start;
  for await (const chunk of bytes) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
