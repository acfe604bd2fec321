import { isJsonObject, type JsonObject } from '../../oci/json.ts';

/** A token, with its lifetime from the moment of receipt. */
export interface ReceivedToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** distribution's token specification: what `expires_in` means where it is absent. */
const DEFAULT_LIFETIME_S = 60;

/** A lifetime that is believed from a JWT alone, without the endpoint having said it. */
const MAX_HINTED_LIFETIME_S = 3600;

const MAX_LIFETIME_S = 24 * 3600;

/** Larger tokens do not fit into the headers that servers take. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/**
 * Reads a token endpoint's answer. `access_token` and `token` are the same; ACR sends the one, Quay the other.
 * @param now milliseconds since the epoch, for the hint in a JWT.
 * @returns undefined for what holds no token that a header could carry.
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
 * Absent: what the JWT says within reason, else 60 s. Zero and less are a server's mistake and count as 60 s,
 * as Docker does: a token that is good for nothing would mean one token request for each request.
 */
function lifetimeSeconds(expiresIn: unknown, token: string, now: number): number {
  const said = Number(expiresIn ?? Number.NaN);
  if (Number.isNaN(said)) return hintedSeconds(token, now) ?? DEFAULT_LIFETIME_S;
  return said > 0 ? Math.min(said, MAX_LIFETIME_S) : DEFAULT_LIFETIME_S;
}

/** `exp` of a JWT, which nobody has verified: a hint for how long to keep it, never a reason to trust it. */
function hintedSeconds(token: string, now: number): number | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  const { exp, iat } = parseObject(Buffer.from(payload, 'base64url').toString()) ?? {};
  if (typeof exp !== 'number') return undefined;
  const seconds = exp - (typeof iat === 'number' ? iat : now / 1000);
  return Math.max(DEFAULT_LIFETIME_S, Math.min(seconds, MAX_HINTED_LIFETIME_S));
}
