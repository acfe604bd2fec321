import { readToken, type PresentedToken } from './tokens/static-token.ts';

/** What a header Authorization presents, told apart by the form of the secret. Nothing of it is verified yet. */
export type ClientCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: PresentedToken }
  | {
      /** A JSON Web Token. */
      readonly kind: 'jwt';
      readonly token: string;
      /** The claim `iss`, as the token says it. */
      readonly issuer: string | undefined;
    }
  | { readonly kind: 'unusable'; readonly reason: string };

/** Most characters of the header: the tokens of an issuer that lists many groups have several thousand. */
export const MAX_AUTHORIZATION = 16 * 1024;

const AUTHORIZATION = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +(\S+) *$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const JWT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

/** Reads the header Authorization (RFC 9110, 11.6.2) with Basic (RFC 7617) or Bearer (RFC 6750) credentials. */
export function readCredentials(authorization: string): ClientCredentials {
  if (authorization.length > MAX_AUTHORIZATION) return unusable('the header Authorization is too long');
  const [, scheme = '', value = ''] = AUTHORIZATION.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic':
      return readBasic(value);
    case 'bearer':
      return readSecret(value) ?? unusable('the bearer token has no form that Larder knows');
    default:
      return unusable('the header Authorization is neither Basic nor Bearer');
  }
}

/** Clients that have no credentials may send empty ones: `Basic Og==`. */
function readBasic(value: string): ClientCredentials {
  const text = BASE64.test(value) ? decodeText(Buffer.from(value, 'base64')) : undefined;
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon === -1) return unusable('the Basic credentials cannot be read');
  if (text === ':') return { kind: 'none' };
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  return readSecret(password) ?? { kind: 'password', user, password };
}

/** @returns undefined if the text is neither a static token nor a JSON Web Token */
function readSecret(text: string): ClientCredentials | undefined {
  const token = readToken(text);
  return token === undefined ? readJwt(text) : { kind: 'token', token };
}

function readJwt(token: string): ClientCredentials | undefined {
  const [, header, payload] = JWT.exec(token) ?? [];
  // A password of three words with dots between them is no token.
  if (typeof decodeObject(header)?.['alg'] !== 'string') return undefined;
  const issuer = decodeObject(payload)?.['iss'];
  return { kind: 'jwt', token, issuer: typeof issuer === 'string' ? issuer : undefined };
}

function decodeObject(base64url: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64url ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function unusable(reason: string): ClientCredentials {
  return { kind: 'unusable', reason };
}
