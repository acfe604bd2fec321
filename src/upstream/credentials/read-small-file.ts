import { open } from 'node:fs/promises';
import { CredentialError } from './credentials.ts';

/**
 * Reads the text of a file of at most `limit` bytes.
 * @throws CredentialError if it cannot be read or is longer
 */
export async function readSmallFile(path: string, limit: number): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const buffer = Buffer.alloc(limit + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > limit) throw new CredentialError(`${path} is longer than ${limit} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (error instanceof CredentialError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CredentialError(`${path} cannot be read: ${code}`, { cause: error });
  }
}
