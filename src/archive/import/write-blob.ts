import { createDigester, type Digest } from '../../oci/digest.ts';
import type { Ingest } from '../../store/blob-store.ts';
import { VerificationError } from '../../store/error.ts';
import { BundleError } from '../bundle-error.ts';
import type { ImportCache } from './import-options.ts';

/** A blob as a bundle has it. */
export interface WrittenBlob {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly size: number;
  /** Undefined if the bundle does not tell it. */
  readonly digest: Digest | undefined;
  readonly signal: AbortSignal;
}

/**
 * Writes a blob into the store, as far as the cache has room.
 * @throws BundleError if the bytes are not the digest's, or there is no room; StoreError; the signal's reason
 */
export async function writeBlob(
  { store, room }: Pick<ImportCache, 'store' | 'room'>,
  { bytes, size, digest, signal }: WrittenBlob,
): Promise<Digest> {
  if ((await room({ size, offset: 0 })) === 0) throw noRoom(size);
  await using ingest = await store.ingest({ size, ...(digest !== undefined && { digest }) });
  const digester = digest === undefined ? createDigester('sha256') : undefined;
  try {
    await write(ingest, bytes, room, (chunk) => {
      signal.throwIfAborted();
      digester?.update(chunk);
    });
    return (await ingest.commit(digester && { digest: digester.digest() })).digest;
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw new BundleError(error.message, { cause: error });
  }
}

async function write(
  ingest: Ingest,
  bytes: AsyncIterable<Uint8Array>,
  room: ImportCache['room'],
  seen: (chunk: Uint8Array) => void,
): Promise<void> {
  const size = ingest.expected.size ?? 0;
  let left = 0;
  for await (const chunk of bytes) {
    seen(chunk);
    if (chunk.length > left) {
      const granted = await room({ size, offset: ingest.offset });
      if (granted === 0) throw noRoom(size);
      // There is room for the whole blob: the number only says how soon to ask again.
      left = Math.max(granted, chunk.length);
    }
    left -= chunk.length;
    await ingest.write([chunk]);
  }
}

function noRoom(size: number): BundleError {
  return new BundleError(`there is no room for a blob of ${size} bytes (cache.maxSize, cache.minFree)`);
}
