import type { BlobReader } from './blob-store.ts';
import type { Progress } from './progress.ts';
import type { Source } from './spool.ts';

/** Reads a source as far as the progress of its ingest allows. */
export class ProgressReader implements BlobReader {
  readonly #progress: Progress;
  readonly #source: Source;
  #closed = false;

  constructor(progress: Progress, source: Source) {
    this.#progress = progress;
    this.#source = source;
  }

  get size(): number | undefined {
    return this.#progress.size;
  }

  get fd(): number | undefined {
    return this.#source.fd;
  }

  async available(position: number): Promise<number> {
    for (;;) {
      this.#assertOpen();
      const end = this.#progress.readable(position);
      if (end !== undefined) return end;
      await this.#progress.changed();
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#assertOpen();
    // The file may already contain the last byte, which is held back until it is verified.
    const readable = (this.#progress.readable(position) ?? position) - position;
    if (readable === 0) throw new RangeError(`nothing to read at ${position}: see available()`);
    return this.#source.read(into.subarray(0, readable), position);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#progress.nudge();
    await this.#source.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new DOMException('the reader was closed', 'AbortError');
  }
}
