import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { AccessError } from '../access-error.ts';

export interface LoginThrottleLimits {
  /** Most wrong passwords for one user from one address in a minute. */
  readonly perUser: number;
  /** Most wrong passwords from one address in a minute, for all users together. */
  readonly perClient: number;
}

/** A check of a password, which counts as failed until it is known to be right. */
export interface Attempt {
  /** The password was right. */
  succeeded(): void;
  /** The check could not be made. */
  undecided(): void;
}

interface Counter {
  count: number;
  /** By the monotonic clock, milliseconds. */
  readonly since: number;
}

const LIMITS: LoginThrottleLimits = { perUser: 10, perClient: 30 };
const WINDOW_MS = 60_000;
/** Most counters of each kind. The least recently used go first, and with them what an address has still to wait. */
const MAX = 10_000;

/**
 * Limits the guessing of passwords, by address. Only passwords are counted, since a token cannot be guessed; and only
 * those that are checked, so that a client that repeats one wrong password is counted once for each check.
 *
 * Several clients may share an address. So wrong passwords count for the address and the user first, and one client's
 * guesses at a user lock out no other user. They count for the address alone later, against guesses of one password
 * for many users; and that limit does not hold for users who have logged in from the address before.
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #limits: LoginThrottleLimits;
  readonly #users = new LRUCache<string, Counter>({ max: MAX });
  readonly #clients = new LRUCache<string, Counter>({ max: MAX });
  readonly #known = new LRUCache<string, true>({ max: MAX });

  constructor(clock: Clock, limits = LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * @param client the key of the client's address
   * @throws AccessError throttled
   */
  begin(client: string, user: string): Attempt {
    // No user's name that comes here has a line break.
    const key = `${client}\n${user}`;
    const counters = [this.#counter(this.#users, key), this.#counter(this.#clients, client)] as const;
    const [ofUser, ofClient] = counters;
    if (ofUser.count >= this.#limits.perUser) throw this.#tooMany(ofUser);
    if (ofClient.count >= this.#limits.perClient && !this.#known.has(key)) throw this.#tooMany(ofClient);
    for (const counter of counters) counter.count += 1;
    const undecided = (): void => {
      for (const counter of counters) counter.count -= 1;
    };
    const succeeded = (): void => {
      undecided();
      this.#known.set(key, true);
    };
    return { succeeded, undecided };
  }

  #counter(counters: LRUCache<string, Counter>, key: string): Counter {
    const now = this.#clock.monotonic();
    const known = counters.get(key);
    if (known !== undefined && now - known.since < WINDOW_MS) return known;
    const counter = { count: 0, since: now };
    counters.set(key, counter);
    return counter;
  }

  #tooMany({ since }: Counter): AccessError {
    const retryAfterMs = Math.max(0, since + WINDOW_MS - this.#clock.monotonic());
    return new AccessError('throttled', 'too many wrong passwords came from this address', { retryAfterMs });
  }
}
