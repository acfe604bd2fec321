import { Flights, type Boarding } from '../async/flights.ts';
import type { Clock } from '../clock.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import type { UpstreamError } from '../upstream/error.ts';
import type { Mark, NegativeCache } from './negative.ts';
import { isRefusal } from './refusal.ts';

/** A question to an upstream, and what becomes of its answer. */
export interface UpstreamQuestion<T> {
  /** Under which a refusal is remembered. */
  readonly name: string;
  /** The same for the same question only, where the name does not tell all of it. */
  readonly key?: string;
  readonly ask: () => Promise<T>;
  /** What it is about: a refusal is not remembered where upstream has shown meanwhile that it has the digest. */
  readonly about?: { readonly key: RepositoryKey; readonly digest: Digest };
  /** Whether an error is the answer for a while. Absent: every refusal. */
  readonly isRemembered?: (error: unknown) => error is UpstreamError;
  /** Told of a failure before those that wait for the answer. Never rejects. */
  readonly onFailed?: (error: unknown, mark: Mark | undefined) => Promise<void>;
  /** A remembered refusal that is as old as this is asked anew, milliseconds. Absent: none is. */
  readonly maxAgeMs?: number | undefined;
}

/**
 * Questions to upstreams: one that was lately refused is not asked again, and one that is being asked is asked once for
 * all who want to know.
 */
export class Questions<T> {
  readonly #negative: NegativeCache;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #flights: Flights<T>;

  constructor(negative: NegativeCache, clock: Pick<Clock, 'monotonic'>) {
    this.#negative = negative;
    this.#clock = clock;
    this.#flights = new Flights(clock);
  }

  /** The promise rejects with the refusal that is remembered, or with what `ask` throws. */
  ask(question: UpstreamQuestion<T>): Boarding<T> {
    return (
      this.#refused(question) ?? this.#flights.join(question.key ?? question.name, () => this.#run(question))
    );
  }

  /** The same, for one caller alone, who may give it up. */
  askAlone(question: UpstreamQuestion<T>): Promise<T> {
    return this.#refused(question)?.promise ?? this.#run(question);
  }

  #refused({ name, maxAgeMs }: UpstreamQuestion<T>): Boarding<T> | undefined {
    const known = this.#negative.get(name, maxAgeMs);
    if (known === undefined) return undefined;
    const promise = Promise.reject<T>(known);
    promise.catch(() => {});
    return { promise, collapsed: false, startedAt: this.#clock.monotonic() };
  }

  async #run({ name, ask, about, isRemembered = isRefusal, onFailed }: UpstreamQuestion<T>): Promise<T> {
    const mark = about && this.#negative.mark(about.key, about.digest);
    try {
      return await ask();
    } catch (error) {
      if (isRemembered(error)) this.#negative.put(name, error, mark);
      await onFailed?.(error, mark);
      throw error;
    }
  }
}
