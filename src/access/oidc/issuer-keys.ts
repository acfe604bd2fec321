import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../../clock.ts';
import { AccessError } from '../access-error.ts';
import type { FetchedKeys } from './key-fetcher.ts';

/** How long keys are fresh if the issuer does not say, and the bounds of what it may say. */
const FRESH_MS = 60 * 60_000;
const MIN_FRESH_MS = 5 * 60_000;
const MAX_FRESH_MS = 24 * 60 * 60_000;

/** How long keys that are fresh no more are used all the same while the issuer cannot be asked. */
const STALE_MS = 24 * 60 * 60_000;

/** How long an issuer that failed is left alone. */
const FAILURE_MS = 30_000;

/** Least time between two fetches for unknown keys: any client can name a key that does not exist. */
const UNKNOWN_KEY_MS = 60_000;

export interface IssuerKeysOptions {
  readonly fetch: () => Promise<FetchedKeys>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Called when fetching begins to fail, with the error, and when it works again, without one. */
  readonly onChange: (error?: unknown) => void;
}

/** Times are monotonic, milliseconds. */
interface Held {
  readonly keys: JSONWebKeySet;
  readonly freshUntil: number;
}

interface Failure {
  readonly error: unknown;
  readonly until: number;
}

/**
 * The keys of one issuer, fetched when they are needed first and kept. All callers that wait share one fetch. Outages of
 * the issuer do not count while its keys are held, and while it is known to be down, no caller waits for it.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #held: Held | undefined;
  /** The last fetch's failure; undefined if it succeeded. */
  #failure: Failure | undefined;
  #fetching: Promise<JSONWebKeySet> | undefined;
  /** When an unknown key may be asked for again. */
  #askableAt = Number.NEGATIVE_INFINITY;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** @throws AccessError unavailable */
  async current(): Promise<JSONWebKeySet> {
    const now = this.#options.clock.monotonic();
    const held = this.#held;
    if (held !== undefined && now < held.freshUntil) return held.keys;
    const isDown = this.#failure !== undefined;
    const fetched = this.#fetched();
    if (held === undefined || now >= held.freshUntil + STALE_MS) return fetched;
    const orHeld = fetched.catch(() => held.keys);
    return isDown ? held.keys : orHeld;
  }

  /**
   * Returns the keys if they are newer than those in which a token's key is missing; undefined if they are not, and the
   * issuer was asked a short while ago.
   * @throws AccessError unavailable
   */
  async newerThan(known: JSONWebKeySet): Promise<JSONWebKeySet | undefined> {
    if (this.#held !== undefined && this.#held.keys !== known) return this.#held.keys;
    const now = this.#options.clock.monotonic();
    if (this.#fetching === undefined && this.#failure === undefined) {
      if (now < this.#askableAt) return undefined;
      this.#askableAt = now + UNKNOWN_KEY_MS;
    }
    return this.#fetched();
  }

  /** Returns the keys of the running fetch, or of a new one. Rejects at once while a failure is remembered. */
  #fetched(): Promise<JSONWebKeySet> {
    const leftMs = (this.#failure?.until ?? 0) - this.#options.clock.monotonic();
    if (this.#failure !== undefined && leftMs > 0) {
      return Promise.reject(unavailable(this.#failure.error, leftMs));
    }
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetch(): Promise<JSONWebKeySet> {
    const { fetch, clock, onChange } = this.#options;
    const wasDown = this.#failure !== undefined;
    try {
      const { keys, freshMs = FRESH_MS } = await fetch();
      const boundedMs = Math.min(MAX_FRESH_MS, Math.max(MIN_FRESH_MS, freshMs));
      this.#held = { keys, freshUntil: clock.monotonic() + boundedMs };
      this.#failure = undefined;
      if (wasDown) onChange();
      return keys;
    } catch (error) {
      this.#failure = { error, until: clock.monotonic() + FAILURE_MS };
      if (!wasDown) onChange(error);
      throw unavailable(error, FAILURE_MS);
    }
  }
}

function unavailable(cause: unknown, retryAfterMs: number): AccessError {
  return new AccessError('unavailable', 'the token cannot be checked at present', { cause, retryAfterMs });
}
