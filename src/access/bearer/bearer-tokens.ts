import { SignJWT } from 'jose';
import type { Clock } from '../../clock.ts';
import { AccessError } from '../access-error.ts';
import type { Principal } from '../principal.ts';
import type { ExpectedJwt, SlowChecks } from '../verification/slow-checks.ts';
import type { JwtVerifier, Verified } from '../verification/verifier.ts';
import { readClaims, toClaims, type GrantedIdentity } from './claims.ts';
import { ALGORITHM } from './key-file.ts';
import type { SigningKeys } from './signing-keys.ts';

/** How long a token is valid, milliseconds. Clients ask anew without their user's help. */
export const TOKEN_MS = 5 * 60_000;

/** The claim `aud`, and the `service` that challenges name. */
export const SERVICE = 'larder';

/** The header `typ`: no other kind of token, signed by mistake with the same key, can be taken for one. */
const TYPE = 'larder+jwt';

export interface BearerTokensOptions {
  readonly keys: Pick<SigningKeys, 'issuer' | 'signing' | 'verifying'>;
  readonly checks: Pick<SlowChecks, 'checkJwt'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Makes the ids of tokens (`jti`). */
  readonly newId: () => string;
  /** Whether the principal could still log in by what proved it: a user that is removed takes its tokens along. */
  readonly isKnown: (principal: Principal, proof: string | undefined) => boolean;
}

/** A token for a client. Times are milliseconds since the epoch. */
export interface IssuedToken {
  readonly token: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Issues Larder's own tokens, and verifies them. */
export class BearerTokens implements JwtVerifier {
  readonly #options: BearerTokensOptions;

  constructor(options: BearerTokensOptions) {
    this.#options = options;
  }

  get issuer(): string {
    return this.#options.keys.issuer;
  }

  /**
   * @param login what the client's own credentials have proved, and until when
   * @throws AccessError wrong-credentials: they expire within this second
   */
  async issue(
    identity: GrantedIdentity,
    { proof, expiresAt: endsAt = Infinity }: Pick<Verified, 'proof' | 'expiresAt'>,
  ): Promise<IssuedToken> {
    const { keys, clock, newId } = this.#options;
    const { kid, key } = await keys.signing();
    // Claims have whole seconds.
    const issuedAt = Math.floor(clock.now() / 1000);
    const expiresAt = Math.floor(Math.min(issuedAt * 1000 + TOKEN_MS, endsAt) / 1000);
    if (expiresAt <= issuedAt) throw wrong('the credentials have expired');
    const token = await new SignJWT(toClaims({ identity, proof }))
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(keys.issuer)
      .setAudience(SERVICE)
      .setJti(newId())
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(key);
    return { token, issuedAt: issuedAt * 1000, expiresAt: expiresAt * 1000 };
  }

  async verify(token: string, client: string): Promise<Verified> {
    const { checks, isKnown } = this.#options;
    const checked = await checks.checkJwt(token, this.#expected(), client);
    if ('problem' in checked) throw wrong(checked.message);
    const claimed = readClaims(checked.claims);
    const { exp } = checked.claims;
    if (claimed === undefined || exp === undefined)
      throw wrong('the claims are not those of a token of Larder');
    const { identity, proof } = claimed;
    if (!isKnown(identity.principal, proof))
      throw wrong('the user, the password or the static token of this token does not exist any more');
    return { identity, proof, expiresAt: exp * 1000 };
  }

  #expected(): ExpectedJwt {
    const { keys, clock } = this.#options;
    return {
      keys: keys.verifying,
      issuer: keys.issuer,
      audience: [SERVICE],
      algorithms: [ALGORITHM],
      type: TYPE,
      now: clock.now(),
      leewayMs: 0,
    };
  }
}

function wrong(message: string): AccessError {
  return new AccessError('wrong-credentials', message);
}
