import type { Clock } from '../../clock.ts';
import { OperatorError } from '../../operator/error.ts';
import type { ApiEvent } from '../contract/events.ts';
import { ProblemError } from '../problem-error.ts';
import { formatSse, HEARTBEAT } from './sse.ts';
import { Subscription } from './subscription.ts';

export interface EventFeedOptions {
  readonly clock: Clock;
  /** Different in each process, so that an id of an earlier one is not taken for one of this. */
  readonly epoch: string;
}

/** Events that a client that comes back can still get. */
const MAX_KEPT = 256;
/** Streams at the same time. */
const MAX_LISTENERS = 64;

/** Passes events on to the listeners of the stream, each at its own pace. */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #listeners = new Set<Subscription>();
  /** The last events as text, with their numbers. */
  readonly #kept: { readonly number: number; readonly text: string }[] = [];
  #number = 0;
  #isClosed = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  emit(event: ApiEvent): void {
    const number = (this.#number += 1);
    const text = formatSse({ ...event, id: this.#idOf(number), data: JSON.stringify(event.data) });
    this.#kept.push({ number, text });
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener.push(text);
  }

  /**
   * Adds a listener. It gets what is emitted from now on; with the id of an event, also what came after that event. If
   * not all of that is known any more, it is told so by the event `reset`.
   * @throws OperatorError `busy`; ProblemError `unavailable`
   */
  subscribe(lastId?: string): Subscription {
    if (this.#isClosed) throw new ProblemError('unavailable', 'the server is stopping');
    if (this.#listeners.size >= MAX_LISTENERS)
      throw new OperatorError('busy', 'too many clients listen to the events');
    const { clock } = this.#options;
    // The first line tells the client, and proxies between, that the stream has begun.
    const first = [HEARTBEAT, ...this.#missed(lastId)];
    const listener = new Subscription(clock, first, (ended) => this.#listeners.delete(ended));
    this.#listeners.add(listener);
    return listener;
  }

  /** Ends all streams, and begins no more. */
  close(): void {
    this.#isClosed = true;
    for (const listener of this.#listeners) listener.end();
  }

  #missed(lastId: string | undefined): readonly string[] {
    if (lastId === undefined) return [];
    const last = this.#numberOf(lastId);
    if (last === undefined || last < this.#number - this.#kept.length) {
      return [formatSse({ event: 'reset', id: this.#idOf(this.#number), data: '{}' })];
    }
    return this.#kept.filter(({ number }) => number > last).map(({ text }) => text);
  }

  #idOf(number: number): string {
    return `${this.#options.epoch}-${number}`;
  }

  /** Returns the number of an id; undefined if no event of this process has it. */
  #numberOf(id: string): number | undefined {
    const number = Number(/-(\d{1,15})$/.exec(id)?.[1]);
    return this.#idOf(number) === id && number <= this.#number ? number : undefined;
  }
}
