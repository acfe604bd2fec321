import type { UpstreamError } from '../../upstream/error.ts';
import { isSameRepository, type Target } from '../target.ts';

/** The repositories of one upstream that have a blob, and which of them is asked now. */
export class SourceRepositories {
  readonly #first: Target;
  readonly #targets: Target[];
  #at = 0;

  constructor(first: Target) {
    this.#first = first;
    this.#targets = [first];
  }

  get count(): number {
    return this.#targets.length;
  }

  get current(): Target {
    const target = this.#targets[this.#at];
    if (target === undefined) throw new Error('there is no place to ask');
    return target;
  }

  get isAtFirst(): boolean {
    return this.current === this.#first;
  }

  /** The place to ask after the present one. */
  get next(): Target {
    return this.#targets[(this.#at + 1) % this.#targets.length] ?? this.current;
  }

  /** Adds a place that has the blob, too; it is asked next. */
  add(target: Target): void {
    if (this.#targets.some((known) => isSameRepository(known, target))) return;
    this.#targets.splice(this.#at + 1, 0, target);
  }

  goOn(): void {
    this.#at = (this.#at + 1) % this.#targets.length;
  }

  /** Drops the present place for good. @returns whether there is another one */
  drop(): boolean {
    if (this.#targets.length === 1) return false;
    this.#targets.splice(this.#at, 1);
    this.#at %= this.#targets.length;
    return true;
  }
}

/** Whether a request that failed with this error may succeed when it is sent again. */
export function isTransient(error: UpstreamError): boolean {
  // An absence that is not proven may come from an ingress while its registry is restarting.
  const isFailure = error.failure === 'unavailable' || (error.failure === 'absent' && !error.isVerdict);
  return isFailure && error.reason !== 'cancelled' && error.reason !== 'offline';
}
