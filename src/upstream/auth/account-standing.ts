import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { UpstreamError } from '../error.ts';

/**
 * Whether upstream accepts the account that is configured for it, as far as its answers show. Each change is an event.
 */
export class AccountStanding {
  readonly #upstream: string;
  readonly #clock: Clock;
  readonly #events: Events;
  #refused: { readonly at: number; readonly error: UpstreamError } | undefined;

  constructor(upstream: string, { clock, events }: { readonly clock: Clock; readonly events: Events }) {
    this.#upstream = upstream;
    this.#clock = clock;
    this.#events = events;
  }

  /**
   * Why upstream refuses the account; undefined while it accepts it, or nothing is known. Any client may read it, so it
   * does not tell what was asked for.
   */
  get refusal(): string | undefined {
    if (this.#refused === undefined) return undefined;
    const { status = 'no' } = this.#refused.error;
    return `${this.#upstream}: answered ${status} to the configured account`;
  }

  refused(error: UpstreamError): void {
    const hasChanged = this.#refused === undefined;
    this.#refused = { at: this.#clock.monotonic(), error };
    if (hasChanged) this.#tell('refused', error);
  }

  /**
   * @param since monotonic time at which the account got the accepted token; undefined if the account itself was sent.
   *   A token from before the refusal stays good for a while, so its acceptance says nothing about the account.
   */
  accepted(since: number | undefined): void {
    if (this.#refused === undefined || (since !== undefined && since <= this.#refused.at)) return;
    this.#refused = undefined;
    this.#tell('accepted');
  }

  #tell(state: 'refused' | 'accepted', error?: UpstreamError): void {
    this.#events.emit({
      kind: 'account-changed',
      upstream: this.#upstream,
      state,
      ...(error !== undefined && { error }),
    });
  }
}
