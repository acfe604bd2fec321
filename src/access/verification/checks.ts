import { compareSync } from 'bcryptjs';
import { createLocalJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import type { CheckedJwt, ExpectedJwt } from './slow-checks.ts';

/** The functions that run in another thread. Arguments and results are plain data, since they are copied. */
export const CHECKS = {
  comparePassword: (password: string, hash: string): Promise<boolean> =>
    Promise.resolve(compareSync(password, hash)),
  checkJwt,
} as const;

export type CheckName = keyof typeof CHECKS;

/** One call of one of the functions. */
export interface Check<Name extends CheckName = CheckName> {
  readonly name: Name;
  readonly args: Parameters<(typeof CHECKS)[Name]>;
}

export function runCheck({ name, args }: Check): Promise<unknown> {
  // TypeScript cannot see that the arguments are those of the function of that name.
  const check = CHECKS[name] as (...list: readonly unknown[]) => Promise<unknown>;
  return check(...args);
}

async function checkJwt(token: string, expected: ExpectedJwt): Promise<CheckedJwt> {
  try {
    return { claims: await claimsOf(token, expected) };
  } catch (error) {
    return problemOf(error);
  }
}

async function claimsOf(token: string, expected: ExpectedJwt): Promise<JWTPayload> {
  const options: JWTVerifyOptions = {
    issuer: expected.issuer,
    audience: [...expected.audience],
    algorithms: [...expected.algorithms],
    currentDate: new Date(expected.now),
    clockTolerance: expected.leewayMs / 1000,
    ...(expected.type !== undefined && { typ: expected.type }),
    // A token without an end could never be taken back.
    requiredClaims: ['exp'],
  };
  try {
    return (await jwtVerify(token, createLocalJWKSet(expected.keys), options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return firstThatFits(token, error, options);
  }
}

/** A token may name no key (RFC 7515, 4.1.4): then any of the issuer's keys may have signed it. */
async function firstThatFits(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

/** The messages of jose name claims and algorithms, and quote nothing of the token. */
function problemOf(error: unknown): CheckedJwt {
  const message = error instanceof errors.JOSEError ? error.message : 'a key of the issuer cannot be used';
  if (error instanceof errors.JWKSNoMatchingKey) return { problem: 'unknown-key', message };
  return { problem: error instanceof errors.JWTExpired ? 'expired' : 'invalid', message };
}
