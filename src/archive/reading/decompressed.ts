import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { BundleError } from '../bundle-error.ts';

/** How a bundle is compressed, by its first bytes (RFC 1952 §2.3.1, RFC 8878 §3.1.1). */
const MAGICS = [
  { kind: 'gzip', magic: [0x1f, 0x8b] },
  { kind: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
] as const;

const MAGIC_BYTES = 4;

/** Whether bytes begin as gzip or zstd do; undefined for all others. */
export function compressionOf(head: Uint8Array): 'gzip' | 'zstd' | undefined {
  return MAGICS.find(({ magic }) => magic.every((byte, i) => head[i] === byte))?.kind;
}

/**
 * Unpacks bytes that are compressed by gzip or zstd; the name of their file does not matter. Passes others on.
 * @throws BundleError if they are broken or cut off; what reading the bytes throws
 */
export async function* decompressed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reading = bytes[Symbol.asyncIterator]();
  const { head, chunks } = await firstChunks(reading);
  const rest = continued(chunks, reading);
  const kind = compressionOf(head);
  if (kind === undefined) yield* rest;
  else yield* unpacked(rest, kind);
}

/** Reads until the magic is there, whatever the size of the chunks. */
async function firstChunks(
  reading: AsyncIterator<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly chunks: readonly Uint8Array[] }> {
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < MAGIC_BYTES;) {
    const { done, value } = await reading.next();
    if (done === true) break;
    chunks.push(value);
    length += value.length;
  }
  return { head: Buffer.concat(chunks.map((chunk) => chunk.subarray(0, MAGIC_BYTES))), chunks };
}

async function* continued(
  chunks: readonly Uint8Array[],
  reading: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
    for (;;) {
      const { done, value } = await reading.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await reading.return?.();
  }
}

async function* unpacked(
  bytes: AsyncIterable<Uint8Array>,
  kind: 'gzip' | 'zstd',
): AsyncGenerator<Uint8Array> {
  let failure: unknown;
  const source = Readable.from(bytes, { objectMode: false });
  const unpacker = kind === 'gzip' ? createGunzip() : createZstdDecompress();
  source.on('error', (error) => {
    failure = error;
    unpacker.destroy(error);
  });
  try {
    for await (const chunk of source.pipe(unpacker)) yield chunk as Uint8Array;
  } catch (error) {
    // What reading has thrown says more than what unpacking makes of it.
    if (failure !== undefined) throw failure;
    throw new BundleError(`its ${kind} is broken or cut off: ${(error as Error).message}`, { cause: error });
  } finally {
    source.destroy();
    unpacker.destroy();
  }
}
