import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { UpstreamError } from '../error.ts';

/** Whether upstream takes the account that is configured for it, as far as it has shown. Told once at each change. */
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

  /** Why it does not, for everybody: not what was asked for. Undefined while it does, or nothing is known. */
  get refusal(): string | undefined {
    if (this.#refused === undefined) return undefined;
    const { status = 'no' } = this.#refused.error;
    return `${this.#upstream}: answered ${status} to the configured account`;
  }

  refused(error: UpstreamError): void {
    const isNews = this.#refused === undefined;
    this.#refused = { at: this.#clock.monotonic(), error };
    if (isNews) this.#tell('refused', error);
  }

  /**
   * @param since when what was sent was had for the account, by the monotonic clock; undefined: the account itself
   *   was sent. A token from before the refusal goes on for a while, and says nothing.
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
