import type { Digest } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';

/** A bundle that can be read from any of its bytes on. */
export interface BundleSource {
  /** The same only for the same bytes. */
  readonly identity: Digest;
  /** Bytes. */
  readonly size: number;
  /** Reads from `offset` to the end. Each chunk has a buffer of its own. */
  read(offset: number): AsyncIterable<Uint8Array>;
}

/** Bytes of a read: large enough that a stream costs little for each. */
const CHUNK = 512 * 1024;

/** Returns what a reader reads as a source. The caller closes the reader. */
export function sourceOf(
  reader: Pick<BlobReader, 'read'>,
  { identity, size }: Pick<BundleSource, 'identity' | 'size'>,
): BundleSource {
  return {
    identity,
    size,
    async *read(offset) {
      for (let position = offset; position < size;) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, size - position));
        const count = await reader.read(buffer, position);
        position += count;
        yield buffer.subarray(0, count);
      }
    },
  };
}
