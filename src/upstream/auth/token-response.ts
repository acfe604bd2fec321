import { isJsonObject, type JsonObject } from '../../oci/documents/json.ts';

/** A token, with its lifetime from the moment of receipt. */
export interface ReceivedToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** Lifetime of a token without `expires_in` (distribution's token specification). */
const DEFAULT_LIFETIME_S = 60;

/** Longest lifetime believed from the JWT alone, if the endpoint tells none. */
const MAX_HINTED_LIFETIME_S = 3600;

const MAX_LIFETIME_S = 24 * 3600;

/** Most characters of a token: larger ones do not fit into the headers that servers accept. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/**
 * Reads a token endpoint's answer. `access_token` and `token` are the same; ACR sends the one, Quay the other.
 * @param now milliseconds since the epoch, for the hint in a JWT
 * @returns undefined if the answer holds no token that a header could carry
 */
export function parseTokenResponse(body: string, now: number): ReceivedToken | undefined {
  const document = parseObject(body);
  const token = [document?.['access_token'], document?.['token']].find(isToken);
  if (document === undefined || token === undefined) return undefined;
  return { token, lifetimeMs: lifetimeSeconds(document['expires_in'], token, now) * 1000 };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(value);
}

/**
 * Returns the lifetime. Without `expires_in` it is the JWT's, within bounds, else 60 s. Zero and less are a server's
 * mistake and count as 60 s, as in Docker: a token without a lifetime would cost one token request for each request.
 */
function lifetimeSeconds(expiresIn: unknown, token: string, now: number): number {
  const said = Number(expiresIn ?? Number.NaN);
  if (Number.isNaN(said)) return hintedSeconds(token, now) ?? DEFAULT_LIFETIME_S;
  return said > 0 ? Math.min(said, MAX_LIFETIME_S) : DEFAULT_LIFETIME_S;
}

/** Reads `exp` of a JWT, which Larder does not verify: a hint for how long to keep it, never a reason to trust it. */
function hintedSeconds(token: string, now: number): number | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  const { exp, iat } = parseObject(Buffer.from(payload, 'base64url').toString()) ?? {};
  if (typeof exp !== 'number') return undefined;
  const seconds = exp - (typeof iat === 'number' ? iat : now / 1000);
  return Math.max(DEFAULT_LIFETIME_S, Math.min(seconds, MAX_HINTED_LIFETIME_S));
}
