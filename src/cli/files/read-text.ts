import type { Readable } from 'node:stream';
import { open } from 'node:fs/promises';

/** Far more than any file has that people write. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A file of the command line that cannot be read. The message names it. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** Reads a file as text, of at most 16 MiB. @throws FileError */
export async function readTextFile(path: string): Promise<string> {
  try {
    await using file = await open(path);
    return await readText(path, file.createReadStream());
  } catch (error) {
    if (error instanceof FileError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new FileError(`${path} cannot be read: ${code}`, { cause: error });
  }
}

/** Reads a stream to its end as text, of at most 16 MiB. @throws FileError if it is longer */
export async function readText(name: string, stream: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MAX_BYTES) throw new FileError(`${name} is too large: expected at most 16 MiB`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
