import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createDigester, type Digest, type DigestAlgorithm } from '../../oci/digest.ts';
import { FileError } from './read-text.ts';

/** Whether a name on the command line is that of a file, and not a reference. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Computes the digest of a file, however large. @throws FileError */
export async function digestOfFile(path: string, algorithm: DigestAlgorithm): Promise<Digest> {
  try {
    return await digestOfStream(createReadStream(path), algorithm);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new FileError(`${path} cannot be read: ${code}`, { cause: error });
  }
}

/** Computes the digest of a stream's bytes as they arrive. */
export async function digestOfStream(stream: Readable, algorithm: DigestAlgorithm): Promise<Digest> {
  const digester = createDigester(algorithm);
  for await (const piece of stream as AsyncIterable<Uint8Array>) digester.update(piece);
  return digester.digest();
}
