import type { Clock } from '../../clock.ts';
import { HEARTBEAT } from './sse.ts';

/** Interval between two signs of life: proxies close a connection that is silent for a minute. */
const HEARTBEAT_MS = 15_000;
/** Texts that wait for a listener. One that is further behind is cut: it asks again, and is told where to begin. */
const MAX_WAITING = 256;

/** What one listener still has to get. It is iterated once; the iteration ends when the stream does. */
export class Subscription implements AsyncIterable<string> {
  readonly #clock: Clock;
  readonly #onEnd: (of: Subscription) => void;
  readonly #waiting: string[];
  #cancelHeartbeat: () => void;
  #wake: (() => void) | undefined;
  #isEnded = false;
  readonly #end = Promise.withResolvers<void>();

  /** @param first what the listener gets at once. @param onEnd called when it gets nothing more */
  constructor(clock: Clock, first: readonly string[], onEnd: (of: Subscription) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#waiting = [...first];
    this.#cancelHeartbeat = this.#beatLater();
  }

  /** Resolves when nothing more is told. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  push(text: string): void {
    if (this.#isEnded) return;
    this.#waiting.push(text);
    this.#wake?.();
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.length = 0;
      this.end();
    }
  }

  /** Ends the stream behind what still waits. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancelHeartbeat();
    this.#onEnd(this);
    this.#end.resolve();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    try {
      for (;;) {
        const text = this.#waiting.shift();
        if (text !== undefined) yield text;
        else if (this.#isEnded) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.end();
    }
  }

  #beatLater(): () => void {
    return this.#clock.after(HEARTBEAT_MS, () => {
      this.#cancelHeartbeat = this.#beatLater();
      this.push(HEARTBEAT);
    });
  }
}
