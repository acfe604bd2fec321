import type { Clock } from '../../clock.ts';
import type { Events, LarderEvent, UpstreamResult } from '../../events.ts';
import type { RateLimit } from './rate-limit.ts';
import { UpstreamError } from '../error.ts';

export type RequestTarget = Extract<LarderEvent, { kind: 'upstream-request' }>['target'];

/** Emits the events of one upstream. */
export class Reporter {
  readonly #upstream: string;
  readonly #clock: Clock;
  readonly #events: Events;
  #rateLimit: (RateLimit & { readonly toldAt: number }) | undefined;

  constructor(upstream: string, deps: { readonly clock: Clock; readonly events: Events }) {
    this.#upstream = upstream;
    this.#clock = deps.clock;
    this.#events = deps.events;
  }

  /** Runs one request and emits how it ended; its redirects and authentication are part of it. */
  async report<T extends object>(target: RequestTarget, method: string, run: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.monotonic();
    const tell = (result: UpstreamResult, status: number | undefined): void => {
      this.#events.emit({
        kind: 'upstream-request',
        upstream: this.#upstream,
        method,
        target,
        result,
        ...(status !== undefined && { status }),
        durationMs: this.#clock.monotonic() - startedAt,
      });
    };
    try {
      const answer = await run();
      tell('ok', 'status' in answer && typeof answer.status === 'number' ? answer.status : 200);
      return answer;
    } catch (error) {
      const isOurs = error instanceof UpstreamError;
      tell(isOurs ? error.failure : 'unavailable', isOurs ? error.status : undefined);
      throw error;
    }
  }

  bytes(bytes: number): void {
    this.#events.emit({ kind: 'upstream-bytes', upstream: this.#upstream, bytes });
  }

  rateLimit(rateLimit: RateLimit): void {
    this.#rateLimit = { ...rateLimit, toldAt: this.#clock.monotonic() };
    const { limit, remaining } = rateLimit;
    this.#events.emit({ kind: 'rate-limit', upstream: this.#upstream, limit, remaining });
  }

  /**
   * The pull limit that upstream told last. Undefined once its window has passed: the pulls that it counted count no
   * more, and a caller that asks nothing while few are left would else never ask again.
   */
  get lastRateLimit(): RateLimit | undefined {
    if (this.#rateLimit === undefined) return undefined;
    const { toldAt, ...told } = this.#rateLimit;
    return this.#clock.monotonic() - toldAt < told.windowMs ? told : undefined;
  }
}
