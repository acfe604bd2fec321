import { Flights, type Boarding } from '../async/flights.ts';
import type { Clock } from '../clock.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import type { UpstreamError } from '../upstream/error.ts';
import type { Mark, NegativeCache } from './negative-cache.ts';
import { isRefusal } from './refusal.ts';

/** A question to an upstream, and how its failure is handled. */
export interface UpstreamQuestion<T> {
  /** Name under which a refusal is remembered. */
  readonly name: string;
  /** Key under which callers share one request. Absent: the name. It is set if one name covers several questions. */
  readonly key?: string;
  readonly ask: () => Promise<T>;
  /** Subject of the question: a refusal is not remembered if upstream has shown meanwhile that it has the digest. */
  readonly about?: { readonly key: RepositoryKey; readonly digest: Digest };
  /** Whether the error is remembered, and repeated for a while. Absent: every refusal is. */
  readonly isRemembered?: (error: unknown) => error is UpstreamError;
  /** Called with a failure before the callers receive it. Never rejects. */
  readonly onFailed?: (error: unknown, mark: Mark | undefined) => Promise<void>;
  /** Age from which on a remembered refusal is asked anew, milliseconds. Absent: never. */
  readonly maxAgeMs?: number | undefined;
}

/**
 * Asks upstreams. A question that was lately refused is not asked again, and all callers that ask the same question at
 * the same time share one request.
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

  /** Asks the question. The promise rejects with the remembered refusal, or with what `question.ask` throws. */
  ask(question: UpstreamQuestion<T>): Boarding<T> {
    return (
      this.#refused(question) ?? this.#flights.join(question.key ?? question.name, () => this.#run(question))
    );
  }

  /** Asks the question for one caller alone, which may give it up. */
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
