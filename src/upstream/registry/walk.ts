import type { Clock } from '../../clock.ts';
import { abortable } from '../../async/abortable.ts';
import { UpstreamError } from '../error.ts';

/** Deadline of all pages together: enough for 60,000 tags at a hundred tags a page and five pages a second. */
const WALK_MS = 120_000;

export interface WalkOptions {
  readonly upstream: string;
  /** Name of the list, for the message. */
  readonly what: string;
  readonly clock: Clock;
  readonly ms?: number | undefined;
  /** Ends the walk, too. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Goes through the pages of a list within one deadline, since each page may be in time and the list never end.
 * @param walk reads the pages; gets the signal that ends its requests
 * @throws UpstreamError `timeout` if it is late, or the error of `walk`
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

/** The cursors that a walk has got so far: a repeated one would lead round for ever. */
export class Cursors {
  readonly #upstream: string;
  readonly #what: string;
  readonly #seen = new Set<string>();

  constructor({ upstream, what }: Pick<WalkOptions, 'upstream' | 'what'>) {
    this.#upstream = upstream;
    this.#what = what;
  }

  /** Notes a cursor. @throws UpstreamError `content` if the walk has got it before */
  add(cursor: string): void {
    if (this.#seen.has(cursor)) {
      const message = `the pages of ${this.#what} lead round in a circle`;
      throw new UpstreamError(this.#upstream, 'unavailable', 'content', message);
    }
    this.#seen.add(cursor);
  }
}
