import type { JSONWebKeySet, JWTPayload } from 'jose';

/** What a JSON Web Token must say, besides a right signature. */
export interface ExpectedJwt {
  readonly keys: JSONWebKeySet;
  readonly issuer: string;
  /** One of these must be in the claim `aud`. */
  readonly audience: readonly string[];
  /** The signature algorithms that are accepted, by their JWA names (RFC 7518): `RS256`, `ES256`. */
  readonly algorithms: readonly string[];
  /** The header `typ`, which tells the kinds of one issuer's tokens apart. Undefined: any. */
  readonly type?: string | undefined;
  /** The present time, milliseconds since the epoch. */
  readonly now: number;
  /** How far the issuer's clock may be off, milliseconds. */
  readonly leewayMs: number;
}

/** The result of checking a token: its claims, or why it proves nothing. */
export type CheckedJwt =
  | { readonly claims: JWTPayload }
  | {
      /** `unknown-key`: none of the keys has the token's `kid`; the issuer may have a new one. */
      readonly problem: 'unknown-key' | 'expired' | 'invalid';
      /** In words, for the log: never the token. */
      readonly message: string;
    };

/**
 * Checks that compute for long, so that they run apart from the event loop. Only some may wait for each client's
 * address, and the addresses take turns: each check names the one that asks for it.
 */
export interface SlowChecks {
  /**
   * @param hash a bcrypt hash: `$2y$10$...`
   * @param client the key of the client's address
   * @throws AccessError throttled (too many checks wait), unavailable (the check could not run)
   */
  comparePassword(password: string, hash: string, client: string): Promise<boolean>;
  /**
   * @param client the key of the client's address
   * @throws AccessError throttled (too many checks wait), unavailable (the check could not run)
   */
  checkJwt(token: string, expected: ExpectedJwt, client: string): Promise<CheckedJwt>;
}
