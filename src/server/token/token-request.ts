import type { IncomingMessage } from 'node:http';
import { MAX_SCOPES, parseScopes, type Scope } from '../../access/bearer/scope.ts';
import { RegistryError } from '../../oci/error.ts';
import { quoted } from '../../text/quoted.ts';
import { authorizationOf } from '../request/authorization.ts';
import { splitUrl } from '../request/split-url.ts';
import { assertAddressedOnce } from '../v2/addressed-once.ts';
import { readFormBody } from './form-body.ts';

/** What a client asks the token endpoint for. */
export interface ClientTokenRequest {
  readonly scopes: readonly Scope[];
  /** The client's credentials as a header Authorization presents them; undefined: it has sent none. */
  readonly authorization: string | undefined;
  /** The registry in which names are read, from the realm of the challenge. */
  readonly ns: string | undefined;
  /** Whether the client has sent a form, as OAuth 2.0 wants it. */
  readonly isForm: boolean;
}

/**
 * Reads a request: GET by distribution's token specification, POST by its OAuth 2.0 specification. Parameters that change
 * nothing are ignored: `service`, `account`, `client_id`, `offline_token`, `access_type`. Larder gives no refresh tokens,
 * so clients keep their user's own credentials.
 * @throws RegistryError UNSUPPORTED (another method), NAME_INVALID, SIZE_INVALID
 */
export async function readTokenRequest(incoming: IncomingMessage): Promise<ClientTokenRequest> {
  const { method, url = '', rawHeaders } = incoming;
  if (method !== 'GET' && method !== 'POST') throw new RegistryError('UNSUPPORTED', 'expected GET or POST');
  const { query } = splitUrl(url);
  assertAddressedOnce(rawHeaders, query);
  const isForm = method === 'POST';
  const fields = isForm ? await readFormBody(incoming) : query;
  const authorization = isForm ? credentialsOf(fields) : authorizationOf(incoming);
  return { scopes: scopesOf(fields), authorization, ns: query.get('ns') ?? undefined, isForm };
}

function scopesOf(fields: URLSearchParams): readonly Scope[] {
  const scopes = parseScopes(fields.getAll('scope'));
  if (scopes !== undefined) return scopes;
  throw new RegistryError('NAME_INVALID', `expected at most ${MAX_SCOPES} scopes`);
}

/** Every secret is told by its own form, wherever it comes; so a form's secrets become a header. */
function credentialsOf(fields: URLSearchParams): string {
  const grantType = fields.get('grant_type') ?? '';
  if (grantType === 'refresh_token') return `Bearer ${required(fields, 'refresh_token')}`;
  if (grantType === 'password') {
    const pair = `${required(fields, 'username')}:${required(fields, 'password')}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  throw new RegistryError(
    'NAME_INVALID',
    `expected the grant_type "password" or "refresh_token", not ${quoted(grantType)}`,
  );
}

function required(fields: URLSearchParams, name: string): string {
  const value = fields.get(name);
  if (value === null) throw new RegistryError('NAME_INVALID', `the form has no ${name}`);
  return value;
}
