import { BundleError } from '../bundle-error.ts';

/** Bytes that an archive may have beside its entries: what a reader reads ahead, and the zeros at its end. */
const SLACK = 16 * 1024 * 1024;

/** Bytes that an entry may have beside its content: its header, its attributes, its padding. */
const OF_ENTRY = 8 * 1024;

/**
 * Counts the bytes of an archive as they come out of their compression. No more come than the entries have announced,
 * so that a few bytes that unpack to very many cost little.
 */
export class Meter {
  #allowed = SLACK;

  /** Must be called for each entry, with its size in bytes. */
  allow(size: number): void {
    this.#allowed += size + OF_ENTRY;
  }

  /** Passes the bytes on. @throws BundleError at the first byte too many */
  async *measured(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.#allowed -= chunk.length;
      if (this.#allowed < 0) throw new BundleError('it unpacks to far more than its entries have');
      yield chunk;
    }
  }
}
