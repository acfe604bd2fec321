import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { abortable } from '../../async/abortable.ts';
import type { ReceivedToken } from './token-response.ts';

/** A token that was received. Its times are monotonic, in milliseconds. */
export interface Token {
  readonly value: string;
  readonly receivedAt: number;
  readonly expiresAt: number;
}

/** Most tokens kept: one for each repository and account. Forgetting one costs one request. */
const MAX_TOKENS = 5000;

/** Share of its lifetime in which a token is used: the token must still be good when it arrives. */
const USED_PART = 0.9;

/** Tokens by key. Callers that wait for the same token share one fetch. */
export class TokenCache {
  readonly #clock: Clock;
  readonly #tokens = new LRUCache<string, Token>({ max: MAX_TOKENS });
  readonly #flights = new Map<string, Promise<Token>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the token of `key` if it is cached and stays good for a while. */
  peek(key: string): Token | undefined {
    const token = this.#tokens.get(key);
    return token !== undefined && this.#clock.monotonic() < token.expiresAt ? token : undefined;
  }

  /**
   * Returns the cached token, or the one that `fetch` gets. All callers that wait get the same token, or the same
   * error; `signal` ends only this caller's wait.
   */
  async get(
    key: string,
    fetch: () => Promise<ReceivedToken>,
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const cached = this.peek(key);
    if (cached !== undefined) return cached;
    const running = this.#flights.get(key);
    return abortable(running ?? this.#begin(key, fetch), signal);
  }

  /** Forgets a refused token, unless another one has taken its place. */
  invalidate(key: string, refused: Token): void {
    if (this.#tokens.peek(key)?.value === refused.value) this.#tokens.delete(key);
  }

  #begin(key: string, fetch: () => Promise<ReceivedToken>): Promise<Token> {
    const flight = this.#fetch(key, fetch).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  async #fetch(key: string, fetch: () => Promise<ReceivedToken>): Promise<Token> {
    const { token, lifetimeMs } = await fetch();
    const receivedAt = this.#clock.monotonic();
    const kept = { value: token, receivedAt, expiresAt: receivedAt + lifetimeMs * USED_PART };
    this.#tokens.set(key, kept);
    return kept;
  }
}
