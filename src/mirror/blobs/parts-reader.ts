import type { ContentRange } from '../../http/ranges/range.ts';
import type { BlobReader } from '../../store/blob-store.ts';

/** Greatest number of requests to upstream for the parts of one answer. One-byte parts would cost a request each. */
export const MAX_ALONE = 16;

export interface PartsReaderOptions {
  readonly size: number | undefined;
  /** In ascending order, none overlapping another. */
  readonly parts: readonly ContentRange[];
  /** Opens a part by itself when its turn has come; returns undefined if it must be read from `rest`. */
  readonly open: (part: ContentRange) => Promise<BlobReader | undefined>;
  readonly rest?: BlobReader;
  /** Reader of the first part, if it is open already. */
  readonly first?: BlobReader;
}

/**
 * Reads parts of a blob in order, each from the source that would answer a request for it alone. One part is open at a
 * time: it returns its turn at upstream before the next part asks for one.
 */
export class PartsReader implements BlobReader {
  /** The parts may be in no file. */
  readonly fd = undefined;
  readonly size: number | undefined;
  readonly #options: PartsReaderOptions;
  #index = -1;
  #alone: BlobReader | undefined;
  #isClosed = false;

  constructor(options: PartsReaderOptions) {
    this.#options = options;
    this.#alone = options.first;
    this.size = options.size;
  }

  async available(position: number): Promise<number> {
    return (await this.#at(position)).available(position);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return (await this.#at(position)).read(into, position);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#alone?.close();
    } finally {
      await this.#options.rest?.close();
    }
  }

  async #at(position: number): Promise<BlobReader> {
    const { parts, rest, first } = this.#options;
    const index = parts.findIndex(({ end }, at) => at >= this.#index && position < end);
    const part = parts[index];
    if (part !== undefined && index !== this.#index) {
      this.#index = index;
      if (index > 0 || first === undefined) await this.#enter(part);
    }
    const reader = this.#alone ?? rest;
    if (reader === undefined) throw new RangeError(`no part is open at ${position}`);
    return reader;
  }

  async #enter(part: ContentRange): Promise<void> {
    const before = this.#alone;
    this.#alone = undefined;
    await before?.close();
    this.#requireOpen();
    const alone = await this.#options.open(part);
    if (this.#isClosed) await alone?.close();
    this.#requireOpen();
    this.#alone = alone;
  }

  /** Throws if the client has left during a wait: nothing more is requested for it. */
  #requireOpen(): void {
    if (this.#isClosed) throw new DOMException('the reader was closed', 'AbortError');
  }
}
