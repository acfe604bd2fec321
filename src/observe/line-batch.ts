import type { DestinationStream } from 'pino';

/** Takes bytes, as pino's own destinations do in that mode; `flushSync` writes all of them before it returns. */
export interface BatchTarget {
  write(bytes: Uint8Array): unknown;
  flushSync(): void;
}

/**
 * Collects the lines of one turn of the event loop and hands them over together: under load, a write for each costs
 * more than the rest of a hit. At rest a line is out as soon as what wrote it is through.
 */
export class LineBatch implements DestinationStream {
  readonly #target: BatchTarget;
  #lines: string[] = [];

  constructor(target: BatchTarget) {
    this.#target = target;
  }

  write(line: string): void {
    if (this.#lines.push(line) === 1) setImmediate(() => this.#handOver());
  }

  /** Hands over what there is, and has it written: the last thing before the process ends. */
  flushSync(): void {
    this.#handOver();
    this.#target.flushSync();
  }

  #handOver(): void {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#target.write(bytes);
  }
}
