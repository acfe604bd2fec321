import type { Verdict } from '../verification/verdict-memory.ts';
import { isSecretOf, type PresentedToken, type StaticToken } from './static-token.ts';
import type { TokenList } from './token-list.ts';

/**
 * Verifies a static token.
 * @param tokens the tokens at present
 * @param now milliseconds since the epoch
 */
export function verifyToken(
  presented: PresentedToken,
  tokens: { readonly value: TokenList },
  now: number,
): Verdict {
  const find = (): StaticToken | undefined => tokens.value.get(presented.id);
  const token = find();
  // An id is no secret, so the time may tell that it is unknown.
  if (token === undefined) return wrong('there is no such token');
  if (!isSecretOf(presented.secret, token)) return wrong('the secret of the token is wrong');
  const { name, sha256, expiresAt } = token;
  if (expiresAt !== undefined && now >= expiresAt) return wrong('the token has expired');
  const stillHolds = (): boolean => {
    const current = find();
    return current?.sha256 === sha256 && current.expiresAt === expiresAt && current.name === name;
  };
  const identity = { principal: { kind: 'token', name } } as const;
  return { verified: { identity, expiresAt, proof: token.id }, stillHolds };
}

/** It costs so little that it is not worth remembering. */
function wrong(reason: string): Verdict {
  return { verified: undefined, reason, stillHolds: () => false };
}
