import type { DestinationStream } from 'pino';
import type { Clock } from '../clock.ts';

/** Too short for a reader of the log to notice, and long enough for hundreds of requests. */
const COLLECT_MS = 10;

/**
 * Collects the lines of some milliseconds and hands them over together: under load, one write per line costs more than
 * the rest of a hit.
 */
export class LineBatch implements DestinationStream {
  readonly #handOver: (text: string) => void;
  readonly #clock: Pick<Clock, 'after'>;
  #lines: string[] = [];

  constructor(handOver: (text: string) => void, clock: Pick<Clock, 'after'>) {
    this.#handOver = handOver;
    this.#clock = clock;
  }

  write(line: string): void {
    if (this.#lines.push(line) > 1) return;
    this.#clock.after(COLLECT_MS, () => {
      const text = this.take();
      if (text !== '') this.#handOver(text);
    });
  }

  /** Returns the lines that are not handed over yet, and forgets them. */
  take(): string {
    const text = this.#lines.join('');
    this.#lines = [];
    return text;
  }
}
