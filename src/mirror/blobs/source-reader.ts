import type { Digest, Digester } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { VerificationError } from '../../store/error.ts';
import type { PieceSource } from '../fill/relay.ts';

/**
 * The digest that a blob must have when it has passed through, and a digester that has seen all bytes before the first
 * byte of the source.
 */
export interface PassThroughCheck {
  readonly digest: Digest;
  readonly digester: Digester;
}

/**
 * Reads bytes straight from upstream, forward only, and keeps none. The transfer is the client's own or shared with
 * others. It serves clients while the store cannot (disk full), and ranges far ahead of a fill. With a check, the last
 * chunk is handed out only after the digest has matched.
 */
export class SourceReader implements BlobReader {
  readonly fd = undefined;
  readonly size: number | undefined;
  readonly #source: PieceSource;
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>;
  #chunk: Uint8Array = new Uint8Array();
  #chunkStart: number;

  constructor(source: PieceSource, size: number | undefined, check?: PassThroughCheck) {
    this.#source = source;
    this.size = source.size ?? size;
    this.#chunkStart = source.offset;
    this.#chunks = check === undefined ? chunksOf(source) : verified(source, check, this.size);
  }

  async available(position: number): Promise<number> {
    while (position >= this.#chunkEnd) {
      const next = await this.#chunks.next();
      if (next.done === true) return position;
      this.#chunkStart = this.#chunkEnd;
      this.#chunk = next.value;
    }
    return this.#chunkEnd;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    const from = position - this.#chunkStart;
    if (from < 0) return Promise.reject(new Error('bytes that passed through cannot be read again'));
    const bytes = this.#chunk.subarray(from, from + into.length);
    if (bytes.length === 0)
      return Promise.reject(new RangeError(`nothing to read at ${position}: see available()`));
    into.set(bytes);
    return Promise.resolve(bytes.length);
  }

  async close(): Promise<void> {
    this.#source.destroy();
  }

  get #chunkEnd(): number {
    return this.#chunkStart + this.#chunk.length;
  }
}

async function* chunksOf(source: PieceSource): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const pieces of source.pieces()) yield* pieces;
}

async function* verified(
  source: PieceSource,
  check: PassThroughCheck,
  size: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array | undefined;
  for await (const chunk of chunksOf(source)) {
    check.digester.update(chunk);
    if (held !== undefined) yield held;
    // The chunk's own memory is the transfer's, and may be used again for the next one.
    held = new Uint8Array(chunk);
  }
  if (check.digester.digest() !== check.digest) {
    throw new VerificationError({ digest: check.digest, size }, 'upstream sent other bytes');
  }
  if (held !== undefined) yield held;
}
