import type { JSONWebKeySet } from 'jose';
import type { Clock } from '../../clock.ts';
import { AccessError } from '../access-error.ts';
import type { CheckedJwt, SlowChecks } from '../verification/slow-checks.ts';
import type { JwtVerifier, Verified } from '../verification/verifier.ts';
import { readClaims } from './claims.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { ALGORITHMS } from './key-set.ts';
import type { OidcSettings } from './settings.ts';

/** Longest token, in characters. Those with many groups have a few KiB. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/** How far the issuer's clock may be off. */
const LEEWAY_MS = 60_000;

export interface OidcIssuerOptions {
  readonly settings: OidcSettings;
  readonly keys: Pick<IssuerKeys, 'current' | 'newerThan'>;
  readonly checks: Pick<SlowChecks, 'checkJwt'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Verifies the tokens of one OpenID Connect issuer: their signature, their claims, and the configured conditions. */
export class OidcIssuer implements JwtVerifier {
  readonly #options: OidcIssuerOptions;

  constructor(options: OidcIssuerOptions) {
    this.#options = options;
  }

  get issuer(): string {
    return this.#options.settings.issuer;
  }

  async verify(token: string, client: string): Promise<Verified> {
    if (token.length > MAX_TOKEN_LENGTH) throw this.#refused(`has more than ${MAX_TOKEN_LENGTH} characters`);
    const checked = await this.#checkByAnyKeys(token, client);
    if ('problem' in checked) throw this.#refused(`is refused: ${checked.message}`);
    const claimed = readClaims(checked.claims, this.#options.settings);
    if ('problem' in claimed) throw this.#refused(claimed.problem);
    const { principal, expiresAt } = claimed;
    return { identity: { principal }, expiresAt: expiresAt + LEEWAY_MS };
  }

  /** Checks by the keys that are known, and by newer ones if the token's is missing there. */
  async #checkByAnyKeys(token: string, client: string): Promise<CheckedJwt> {
    const { keys } = this.#options;
    const known = await keys.current();
    const checked = await this.#check(token, known, client);
    if (!('problem' in checked) || checked.problem !== 'unknown-key') return checked;
    const newer = await keys.newerThan(known);
    return newer === undefined ? checked : this.#check(token, newer, client);
  }

  #check(token: string, keys: JSONWebKeySet, client: string): Promise<CheckedJwt> {
    const { settings, checks, clock } = this.#options;
    const { issuer, audience } = settings;
    const expected = { keys, issuer, audience, algorithms: ALGORITHMS, leewayMs: LEEWAY_MS };
    return checks.checkJwt(token, { ...expected, now: clock.now() }, client);
  }

  /** The client learns nothing about the conditions; the cause, for the log, says which one failed. */
  #refused(why: string): AccessError {
    const cause = new Error(`the token of the issuer ${this.#options.settings.name} ${why}`);
    return new AccessError('wrong-credentials', 'the token proves nothing here', { cause });
  }
}
