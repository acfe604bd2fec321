import type { Identity } from '../identity.ts';

/** Credentials that have proved who sends them. */
export interface Verified {
  readonly identity: Identity;
  /** When they stop to prove it, milliseconds since the epoch; undefined: they have no end of their own. */
  readonly expiresAt?: number | undefined;
  /** What proved a user or the holder of a static token (`isKnownPrincipal`), told apart from what proves it later. */
  readonly proof?: string | undefined;
}

/** Verifies the JSON Web Tokens of one issuer. */
export interface JwtVerifier {
  /** The claim `iss` of its tokens. */
  readonly issuer: string;
  /**
   * @param client the key of the client's address
   * @throws AccessError wrong-credentials, unavailable (its keys cannot be fetched), throttled (too many checks wait)
   */
  verify(token: string, client: string): Promise<Verified>;
}
