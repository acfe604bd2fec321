import type { AccessError, AccessFailure } from '../../access/access-error.ts';
import { SERVICE } from '../../access/bearer/bearer-tokens.ts';
import { formatChallenge } from '../../http/challenge.ts';
import type { V2Path } from './v2-path.ts';

/** By Basic: the client sends its credentials themselves, and asks for no token. */
export const BASIC_CHALLENGE = formatChallenge('Basic', { realm: 'larder' });

/** The failures that other credentials may change, with the reason that the client is told (RFC 6750 §3.1). */
const REASON: ReadonlyMap<AccessFailure, string | undefined> = new Map([
  ['no-credentials', undefined],
  ['wrong-credentials', 'invalid_token'],
  ['insufficient-scope', 'insufficient_scope'],
]);

/** Names of repositories, and a registry with a port in front of one. Others, such as one with a blank, fit no scope. */
const SCOPE_NAME = /^[\w./:-]{1,512}$/;

/**
 * Returns the challenge to a refused request: where to get a token, and for what (distribution's token specification).
 * @param path undefined: the request's address cannot be read
 * @param realm the URL of the token endpoint; undefined: it is not known, so the client must send its credentials
 * @returns undefined if other credentials would change nothing
 */
export function challengeOf(
  { failure }: AccessError,
  path: V2Path | undefined,
  realm: string | undefined,
): string | undefined {
  if (!REASON.has(failure)) return undefined;
  if (realm === undefined) return BASIC_CHALLENGE;
  const scope = path && scopeOf(path);
  return formatChallenge('Bearer', { realm, service: SERVICE, scope, error: REASON.get(failure) });
}

/** The name is the one that the client spelled, since clients compare it with theirs. */
function scopeOf(path: V2Path): string | undefined {
  if (path.kind === 'ping') return undefined;
  if (path.kind === 'catalog') return 'registry:catalog:*';
  const name = path.segments.join('/');
  return SCOPE_NAME.test(name) ? `repository:${name}:pull` : undefined;
}
