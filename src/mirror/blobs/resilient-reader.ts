import { createDigester, digestAlgorithm, type Digest } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { StoreError } from '../../store/error.ts';
import { BlobSource, type BlobSourceOptions } from '../transfer/blob-source.ts';
import type { PieceSource } from '../fill/relay.ts';
import { SourceReader, type PassThroughCheck } from './source-reader.ts';
import type { Target } from '../target.ts';

const PRIMING_CHUNK = 1024 * 1024;

export interface ResilientReaderOptions extends BlobSourceOptions {
  /**
   * Returns the transfer that goes on at the position for all followers of a fill whose store has failed; undefined if
   * there is none. `open` begins a transfer for this reader alone, should it fall behind.
   */
  readonly shared?: (
    position: number,
    open: (position: number) => Promise<PieceSource>,
  ) => Promise<PieceSource | undefined>;
}

/**
 * A reader that survives a failing store (disk full, more than may be kept, unreadable bytes): it goes on from upstream
 * directly, at its own offset, together with the other followers of the same fill. The bytes before that offset are
 * hashed again from the file, so that all that the reader hands out is verified. If they cannot be read either, it
 * fails with the store's error.
 */
export class ResilientReader implements BlobReader {
  readonly #target: Target;
  readonly #digest: Digest;
  readonly #options: ResilientReaderOptions;
  #current: BlobReader;
  #isDirect = false;
  #isClosed = false;

  constructor(follower: BlobReader, target: Target, digest: Digest, options: ResilientReaderOptions) {
    this.#current = follower;
    this.#target = target;
    this.#digest = digest;
    this.#options = options;
  }

  get size(): number | undefined {
    return this.#current.size;
  }

  get fd(): number | undefined {
    return this.#current.fd;
  }

  async available(position: number): Promise<number> {
    try {
      return await this.#current.available(position);
    } catch (error) {
      await this.#fallBack(error, position);
      return this.#current.available(position);
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#current.read(into, position);
    } catch (error) {
      await this.#fallBack(error, position);
      await this.#current.available(position);
      return this.#current.read(into, position);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#current.close();
  }

  async #fallBack(error: unknown, position: number): Promise<void> {
    if (!(error instanceof StoreError) || this.#isDirect || this.#isClosed) throw error;
    this.#isDirect = true;
    const follower = this.#current;
    // The shared transfer comes first, since it does not wait for long.
    const shared = await this.#options.shared?.(position, (from) => this.#open(from));
    let check: PassThroughCheck | undefined;
    try {
      check = await this.#checkFrom(follower, position);
    } catch (failure) {
      shared?.destroy();
      throw failure;
    }
    const source = shared ?? (await this.#open(position));
    this.#current = new SourceReader(source, follower.size, check);
    await follower.close();
    if (this.#isClosed) await this.#current.close();
  }

  #open(position: number): Promise<BlobSource> {
    return BlobSource.open(
      this.#target,
      this.#digest,
      { start: position },
      {
        ...this.#options,
        describedSize: this.size,
      },
    );
  }

  /**
   * Prepares the check of the bytes from `position` on. There is no check for a range that begins beyond the bytes in
   * the file: no reader has all of the blob then, and the client verifies what it puts together.
   */
  async #checkFrom(follower: BlobReader, position: number): Promise<PassThroughCheck | undefined> {
    const digester = createDigester(digestAlgorithm(this.#digest));
    const buffer = new Uint8Array(PRIMING_CHUNK);
    for (let offset = 0; offset < position;) {
      if (!(await hasBytesAt(follower, offset))) return undefined;
      const wanted = buffer.subarray(0, Math.min(buffer.length, position - offset));
      const count = await follower.read(wanted, offset);
      digester.update(wanted.subarray(0, count));
      offset += count;
    }
    return { digest: this.#digest, digester };
  }
}

/** Whether the follower can read at the position. Its ingest has failed, so that this does not wait. */
async function hasBytesAt(follower: BlobReader, position: number): Promise<boolean> {
  try {
    return (await follower.available(position)) > position;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
