import type { Clock } from '../../clock.ts';
import { abortable } from '../../async/abortable.ts';
import { UpstreamError } from '../error.ts';

/** For all pages together. Of a hundred tags a page and five pages a second, 60,000 tags. */
const WALK_MS = 120_000;

export interface WalkOptions {
  readonly upstream: string;
  /** What is walked through, for the message. */
  readonly what: string;
  readonly clock: Clock;
  readonly ms?: number | undefined;
  /** Ends the walk, too. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Goes through the pages of a list within one deadline: each page may be in time, and the list without end.
 * @param walk is given the signal that ends its requests
 * @throws UpstreamError `timeout` where it is late, or what `walk` throws
 */
export async function walkPages<T>(
  { upstream, what, clock, ms = WALK_MS, signal }: WalkOptions,
  walk: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const cancel = clock.after(ms, () => {
    const message = `the pages of ${what} did not end within ${ms} ms`;
    deadline.abort(new UpstreamError(upstream, 'unavailable', 'timeout', message));
  });
  const either = AbortSignal.any([deadline.signal, ...(signal === undefined ? [] : [signal])]);
  try {
    return await abortable(walk(either), deadline.signal);
  } finally {
    cancel();
  }
}

/** The cursors that a walk has been given: one that comes again would lead round for ever. */
export class Cursors {
  readonly #upstream: string;
  readonly #what: string;
  readonly #seen = new Set<string>();

  constructor({ upstream, what }: Pick<WalkOptions, 'upstream' | 'what'>) {
    this.#upstream = upstream;
    this.#what = what;
  }

  /** @throws UpstreamError `content` where it has been there before */
  add(cursor: string): void {
    if (this.#seen.has(cursor)) {
      const message = `the pages of ${this.#what} lead round in a circle`;
      throw new UpstreamError(this.#upstream, 'unavailable', 'content', message);
    }
    this.#seen.add(cursor);
  }
}
