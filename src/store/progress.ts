import { VerificationError } from './error.ts';

/** Bytes for which followers are woken at once: each waking costs a read and a write, or a change of threads. */
const WAKE_BYTES = 512 * 1024;
/** Turns of the event loop without new bytes after which followers are woken for fewer bytes. */
const QUIET_TURNS = 3;

/** How far an ingest has come, and the followers that wait for it to come further. */
export class Progress {
  #size: number | undefined;
  #offset = 0;
  #complete = false;
  #reason: Error | undefined;
  #waiting: (() => void)[] = [];
  /** The offset at which followers were last woken. */
  #wokenAt = 0;
  #quietTurns = 0;
  #isWatching = false;

  /** @param size the expected total bytes, if known. */
  constructor(size: number | undefined) {
    this.#size = size;
  }

  /** Creates the progress of bytes that are all there. */
  static complete(size: number): Progress {
    const progress = new Progress(size);
    progress.advance(size);
    progress.complete();
    return progress;
  }

  /** Total bytes, if known; always known once complete. */
  get size(): number | undefined {
    return this.#size;
  }

  /** Bytes written so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Why the ingest has failed, if it has. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Counts new bytes. Followers of a fast ingest are woken for many bytes at a time, those of a slow one for any. */
  advance(bytes: number): void {
    const isFirst = this.#offset === 0;
    this.#offset += bytes;
    if (isFirst || this.#offset - this.#wokenAt >= WAKE_BYTES) this.#wake();
    else this.#wakeWhenQuiet();
  }

  /** Ends the ingest as a success: all bytes are written and verified. */
  complete(): void {
    this.#complete = true;
    this.#size = this.#offset;
    this.#wake();
  }

  /** Ends the ingest as a failure. Followers of bytes that are verified get all of them nevertheless. */
  fail(reason: Error): void {
    this.#reason = reason;
    this.#wake();
  }

  /**
   * Returns the offset up to which bytes may be read: above `position`, or equal to it at (and beyond) the end of the
   * blob; undefined while there is nothing at `position` yet.
   * @throws the reason of the failure: a VerificationError at once, any other once the written bytes are read.
   */
  readable(position: number): number | undefined {
    if (this.#complete) return Math.max(this.#offset, position);
    if (this.#reason instanceof VerificationError) throw this.#reason;
    const end = this.#heldBackEnd();
    if (position < end) return end;
    if (this.#reason !== undefined) throw this.#reason;
    return undefined;
  }

  /** Resolves at the next change. The caller must then ask again; a wake-up may be for nothing. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Wakes all followers though no bytes came: a reader that is being closed must end its wait. */
  nudge(): void {
    this.#wake();
  }

  #heldBackEnd(): number {
    return this.#size === undefined ? this.#offset : Math.min(this.#offset, this.#size - 1);
  }

  #wakeWhenQuiet(): void {
    this.#quietTurns = 0;
    if (this.#isWatching) return;
    this.#isWatching = true;
    const watch = (): void => {
      this.#quietTurns += 1;
      if (this.#quietTurns >= QUIET_TURNS) this.#wake();
      this.#isWatching = this.#wokenAt < this.#offset;
      if (this.#isWatching) setImmediate(watch);
    };
    setImmediate(watch);
  }

  #wake(): void {
    this.#wokenAt = this.#offset;
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}
