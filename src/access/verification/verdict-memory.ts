import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Verified } from './verifier.ts';

/** What a check of credentials found out. */
export interface Verdict {
  /** Undefined: they prove nothing. */
  readonly verified: Verified | undefined;
  /** Why they prove nothing, in words, for the log. */
  readonly reason?: string | undefined;
  /** Whether a password was compared, which costs far more than the check of a token. */
  readonly isOfPassword?: boolean;
  /** Whether the file, or whatever gave the verdict, still says the same of these credentials. */
  stillHolds(): boolean;
}

interface Remembered {
  readonly verdict: Verdict;
  /** By the monotonic clock, milliseconds. */
  readonly until: number;
}

export interface VerdictMemoryOptions {
  readonly clock: Clock;
  /** Random bytes, made at the start: without them, a key cannot be compared with hashes of guessed passwords. */
  readonly key: Uint8Array;
  /** Most verdicts of each kind; absent: 10 000, which take about five megabytes. */
  readonly max?: number;
}

const RIGHT_MS = 5 * 60_000;
/** So that a client that tries wrong credentials again and again costs no check each time. */
const WRONG_MS = 30_000;
const MAX = 10_000;

/**
 * Remembers verdicts on credentials: right ones for five minutes or until they expire, wrong ones for half a minute.
 * Keeps no credentials, only keyed hashes of them. Right and wrong verdicts are apart, so that a flood of wrong
 * credentials makes it forget no right ones. Passwords are apart from tokens: a client can get any number of tokens, and
 * spell each in many ways.
 */
export class VerdictMemory {
  readonly #clock: Clock;
  readonly #key: string;
  readonly #passwords: LRUCache<string, Remembered>;
  readonly #tokens: LRUCache<string, Remembered>;
  readonly #wrong: LRUCache<string, Remembered>;

  constructor({ clock, key, max = MAX }: VerdictMemoryOptions) {
    this.#clock = clock;
    this.#key = Buffer.from(key).toString('base64');
    this.#passwords = new LRUCache({ max });
    this.#tokens = new LRUCache({ max });
    this.#wrong = new LRUCache({ max });
  }

  /**
   * Returns the key of credentials. One call of `hash` takes a microsecond, where an HMAC by `createHmac` takes ten
   * times as long; what an HMAC adds guards hashes that others see, and these stay in this process.
   */
  keyOf(authorization: string): string {
    return hash('sha256', this.#key + authorization, 'base64');
  }

  right(key: string): Verified | undefined {
    return (this.#valid(this.#tokens, key) ?? this.#valid(this.#passwords, key))?.verified;
  }

  wrong(key: string): Verdict | undefined {
    return this.#valid(this.#wrong, key);
  }

  remember(key: string, verdict: Verdict): void {
    const isRight = verdict.verified !== undefined;
    const until = this.#clock.monotonic() + (isRight ? RIGHT_MS : WRONG_MS);
    const right = verdict.isOfPassword === true ? this.#passwords : this.#tokens;
    (isRight ? right : this.#wrong).set(key, { verdict, until });
  }

  #valid(memory: LRUCache<string, Remembered>, key: string): Verdict | undefined {
    const remembered = memory.get(key);
    if (remembered === undefined) return undefined;
    const { verdict, until } = remembered;
    const { expiresAt = Infinity } = verdict.verified ?? {};
    if (this.#clock.monotonic() < until && this.#clock.now() < expiresAt && verdict.stillHolds())
      return verdict;
    memory.delete(key);
    return undefined;
  }
}
