import { Flights, flightKey } from '../async/flights.ts';
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { AccessError } from './access-error.ts';
import { NOT_IDENTIFIED, type Authentication, type Login, type Presented } from './authentication.ts';
import { MAX_AUTHORIZATION, readCredentials, type ClientCredentials } from './credentials.ts';
import { FailedLogins } from './failed-logins.ts';
import type { Identity } from './identity.ts';
import { knownPrincipal, type Accounts } from './known-principal.ts';
import { verifyToken } from './tokens/verify-token.ts';
import { PasswordVerifier } from './users/password-verifier.ts';
import { LoginThrottle } from './verification/login-throttle.ts';
import type { SlowChecks } from './verification/slow-checks.ts';
import { VerdictMemory, type Verdict } from './verification/verdict-memory.ts';
import type { JwtVerifier, Verified } from './verification/verifier.ts';

export interface AuthenticatorOptions {
  readonly accounts: Accounts;
  readonly jwt: readonly JwtVerifier[];
  readonly checks: SlowChecks;
  readonly clock: Clock;
  readonly events: Events;
  /** 32 random bytes, as in VerdictMemoryOptions. */
  readonly key: Uint8Array;
}

const BASIC = /^basic\s/i;

/**
 * Finds out who sends a request: by a user's password, a static token or a JSON Web Token. Remembers what it found
 * out, so that most requests cost one hash of their header.
 */
export class Authenticator implements Authentication, Login {
  readonly #clock: Clock;
  readonly #accounts: Accounts;
  readonly #issuers: ReadonlyMap<string, JwtVerifier>;
  readonly #passwords: PasswordVerifier;
  readonly #memory: VerdictMemory;
  readonly #flights: Flights<Verdict>;
  readonly #failed: FailedLogins;

  constructor({ accounts, jwt, checks, clock, events, key }: AuthenticatorOptions) {
    this.#clock = clock;
    this.#accounts = accounts;
    this.#issuers = new Map(jwt.map((verifier) => [verifier.issuer, verifier]));
    const throttle = new LoginThrottle(clock);
    this.#passwords = new PasswordVerifier({ users: accounts.users, checks, throttle });
    this.#memory = new VerdictMemory({ clock, key });
    this.#flights = new Flights(clock);
    this.#failed = new FailedLogins(clock, events, accounts.users);
  }

  identifyNow(authorization: string | undefined, client: () => string): Identity | undefined {
    if (authorization === undefined) return NOT_IDENTIFIED;
    if (authorization.length > MAX_AUTHORIZATION) return undefined;
    return this.#memory.right(this.#keyOf(authorization, client))?.identity;
  }

  async identify(presented: Presented): Promise<Identity> {
    return (await this.login(presented)).identity;
  }

  async login({ authorization, client }: Presented): Promise<Verified> {
    if (authorization === undefined) return { identity: NOT_IDENTIFIED };
    const credentials = readCredentials(authorization);
    if (credentials.kind === 'none') return { identity: NOT_IDENTIFIED };
    try {
      if (credentials.kind === 'unusable') throw wrongCredentials(credentials.reason);
      const key = this.#keyOf(authorization, () => client);
      const { verified, reason } = await this.#judge(credentials, key, client);
      if (verified === undefined) throw wrongCredentials(reason);
      return verified;
    } catch (error) {
      this.#failed.tell(client, credentials, error);
      throw error;
    }
  }

  /**
   * Returns the key under which a verdict is remembered. One on a password holds for one address: an address that has
   * to wait would else learn from the one guess that does not wait that it is right.
   */
  #keyOf(authorization: string, client: () => string): string {
    return this.#memory.keyOf(BASIC.test(authorization) ? `${client()} ${authorization}` : authorization);
  }

  /** Requests with the same credentials share one check. Those of another address do not: it may be throttled. */
  async #judge(credentials: ClientCredentials, key: string, client: string): Promise<Verdict> {
    const verified = this.#memory.right(key);
    if (verified !== undefined) return { verified, stillHolds: () => true };
    const wrong = this.#memory.wrong(key);
    if (wrong !== undefined) return wrong;
    const flight = this.#flights.join(flightKey(client, key), async () => {
      const verdict = await this.#verify(credentials, client);
      this.#memory.remember(key, verdict);
      return verdict;
    });
    return flight.promise;
  }

  async #verify(credentials: ClientCredentials, client: string): Promise<Verdict> {
    switch (credentials.kind) {
      case 'password':
        return this.#passwords.verify(credentials.user, credentials.password, client);
      case 'token':
        return verifyToken(credentials.token, this.#accounts.tokens, this.#clock.now());
      case 'jwt':
        return this.#verifyJwt(credentials.token, credentials.issuer, client);
      case 'none':
      case 'unusable':
        throw wrongCredentials('there are no credentials that can be verified');
    }
  }

  async #verifyJwt(token: string, issuer: string | undefined, client: string): Promise<Verdict> {
    const verifier = this.#issuers.get(issuer ?? '');
    if (verifier === undefined) return wrongJwt('the issuer of the token is not configured');
    try {
      const verified = await verifier.verify(token, client);
      const { identity, proof } = verified;
      return { verified, stillHolds: knownPrincipal(identity.principal, proof, this.#accounts) };
    } catch (error) {
      if (!(error instanceof AccessError) || error.failure !== 'wrong-credentials') throw error;
      return wrongJwt(error.cause instanceof Error ? error.cause.message : error.message);
    }
  }
}

function wrongJwt(reason: string): Verdict {
  return { verified: undefined, reason, stillHolds: () => true };
}

/** The client is told only that its credentials are wrong; the log is told why. */
function wrongCredentials(reason: string | undefined): AccessError {
  return new AccessError('wrong-credentials', 'the credentials are wrong', { cause: new Error(reason) });
}
