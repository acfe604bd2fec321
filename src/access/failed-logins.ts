import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { quoted } from '../text/quoted.ts';
import { AccessError } from './access-error.ts';
import type { ClientCredentials } from './credentials.ts';
import type { Users } from './users/users.ts';

const WINDOW_MS = 60_000;
/** How many failures are told of each address and of all of them in a minute: a flood must not fill the log. */
const PER_CLIENT = 5;
const IN_ALL = 60;
const MAX_CLIENTS = 10_000;

/** Tells failed logins by events, never more than a bounded number in a minute. The next one says how many it left out. */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #users: { readonly value: Users };
  readonly #told = new LRUCache<string, number>({ max: MAX_CLIENTS });
  #since = -Infinity;
  #toldInAll = 0;
  #untold = 0;

  /** @param users the users at present */
  constructor(clock: Clock, events: Events, users: { readonly value: Users }) {
    this.#clock = clock;
    this.#events = events;
    this.#users = users;
  }

  /** @param client the key of the client's address */
  tell(client: string, credentials: ClientCredentials, error: unknown): void {
    if (!this.#hasTurn(client)) {
      this.#untold += 1;
      return;
    }
    const untold = this.#untold;
    this.#untold = 0;
    const failure = error instanceof AccessError ? error.failure : 'unavailable';
    const { kind: form } = credentials;
    const account = accountOf(credentials, this.#users.value);
    this.#events.emit({ kind: 'login-failed', client, form, account, failure, untold, error });
  }

  #hasTurn(client: string): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#since >= WINDOW_MS) {
      this.#since = now;
      this.#toldInAll = 0;
      this.#told.clear();
    }
    const told = this.#told.get(client) ?? 0;
    if (told >= PER_CLIENT || this.#toldInAll >= IN_ALL) return false;
    this.#told.set(client, told + 1);
    this.#toldInAll += 1;
    return true;
  }
}

/**
 * Returns what names the account without being a secret. A name that no user has is not told: clients send tokens and
 * passwords in its place, and daemons send the name of their account at another registry.
 */
function accountOf(credentials: ClientCredentials, users: Users): string | undefined {
  switch (credentials.kind) {
    case 'password':
      return users.hashOf(credentials.user) === undefined ? 'unknown account' : quoted(credentials.user);
    case 'token':
      return credentials.token.id;
    case 'jwt':
      return credentials.issuer === undefined ? undefined : quoted(credentials.issuer);
    case 'none':
    case 'unusable':
      return undefined;
  }
}
