import type { Identity } from './identity.ts';
import { ANONYMOUS } from './principal.ts';
import type { Verified } from './verification/verifier.ts';

/** The credentials of a request, unread, and the address that sent them. */
export interface Presented {
  /** The header Authorization; undefined: there is none. */
  readonly authorization: string | undefined;
  /** The key of the client's address, by which failed logins are counted. */
  readonly client: string;
}

/** Finds out who sends a request. */
export interface Authentication {
  /**
   * Returns what `identify` gives, if that takes neither I/O nor waiting nor long computing; else undefined.
   * @param client returns the key of the client's address, which few requests need
   */
  identifyNow(authorization: string | undefined, client: () => string): Identity | undefined;
  /** @throws AccessError wrong-credentials, throttled, unavailable */
  identify(presented: Presented): Promise<Identity>;
}

/** Identifies the client that asks for a token, and tells when its credentials expire: the token must expire by then. */
export interface Login {
  /**
   * As `Authentication.identify` does. A request without credentials is anonymous.
   * @throws AccessError wrong-credentials, throttled, unavailable
   */
  login(presented: Presented): Promise<Verified>;
}

/** What a request without credentials proves. */
export const NOT_IDENTIFIED: Identity = { principal: ANONYMOUS };

/**
 * For a Larder without users, tokens and issuers. Credentials that arrive all the same are for another registry (a
 * Docker daemon sends those for Docker Hub to its mirrors), and are not even read.
 */
export const NO_AUTHENTICATION: Authentication & Login = {
  identifyNow: () => NOT_IDENTIFIED,
  identify: () => Promise.resolve(NOT_IDENTIFIED),
  login: () => Promise.resolve({ identity: NOT_IDENTIFIED }),
};
