import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import type { BundleSource } from './bundle-source.ts';
import { verified } from './verified.ts';

/**
 * Writes a bundle into a file, compressed by zstd. What an earlier run has written is written anew: the state of the
 * compression is lost with its process.
 * @param onProgress called with the bytes of the bundle that are done
 * @returns the file's SHA-256 in hex
 * @throws BundleError if the source gives wrong bytes
 */
export async function saveZstd(
  source: BundleSource,
  path: string,
  onProgress: (bytes: number) => void,
): Promise<string> {
  await using handle = await open(path, 'w');
  const hash = createHash('sha256');
  for await (const chunk of compressed(verified(source.read(0)), onProgress)) {
    hash.update(chunk);
    await handle.appendFile(chunk);
  }
  await handle.sync();
  return hash.digest('hex');
}

async function* compressed(
  bytes: AsyncIterable<Uint8Array>,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      done += chunk.length;
      onProgress(done);
      yield chunk;
    }
  };
  const input = Readable.from(counted(), { objectMode: false });
  const compressor = createZstdCompress();
  input.once('error', (error) => compressor.destroy(error));
  try {
    for await (const chunk of input.pipe(compressor)) yield chunk as Uint8Array;
  } finally {
    input.destroy();
    compressor.destroy();
  }
}
