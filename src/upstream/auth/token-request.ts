import type { BearerDemand } from './demand.ts';
import { basicAuthorization, type Credentials } from '../credentials/credentials.ts';

/** One way to ask a token endpoint. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const CLIENT_ID = 'larder';

/**
 * Returns the ways to ask for a token, the best first. The next one is tried if the endpoint does not support the one
 * before (`isNextWorthTrying`).
 *
 * A password goes by GET with Basic first: every registry accepts that, since Docker sends it, while POST is 404 at GCR
 * and 400 at some ACRs. An identity token is an OAuth 2 refresh token, so it goes by POST first.
 */
export function tokenRequests(
  demand: BearerDemand,
  credentials: Credentials | undefined,
): [TokenRequest, ...TokenRequest[]] {
  if (credentials === undefined) return [byGet(demand, undefined)];
  return credentials.kind === 'password'
    ? [byGet(demand, credentials), byPost(demand, credentials)]
    : [byPost(demand, credentials), byGet(demand, credentials)];
}

/**
 * Whether a refusal means "not this way". A 401 to a GET does not: the password is wrong, and sending it twice brings
 * nearer the ban that GitLab and Docker Hub put on failed logins.
 */
export function isNextWorthTrying(request: TokenRequest, status: number): boolean {
  if (status === 404 || status === 405) return true;
  return request.method === 'POST' && (status === 400 || status === 401);
}

/** Asks by GET (distribution, "Token Authentication Specification"). The realm's own query stays. */
function byGet(demand: BearerDemand, credentials: Credentials | undefined): TokenRequest {
  const url = new URL(demand.realm);
  if (demand.service !== undefined) url.searchParams.set('service', demand.service);
  for (const scope of demand.scopes) {
    if (!url.searchParams.getAll('scope').includes(scope)) url.searchParams.append('scope', scope);
  }
  if (credentials === undefined) return { method: 'GET', url, headers: {} };
  if (credentials.kind === 'password') url.searchParams.set('account', credentials.username);
  return { method: 'GET', url, headers: { authorization: basicAuthorization(credentials) } };
}

/** Asks by POST (distribution, "Oauth2 Token Authentication"). */
function byPost(demand: BearerDemand, credentials: Credentials): TokenRequest {
  const form = new URLSearchParams({ client_id: CLIENT_ID });
  if (demand.service !== undefined) form.set('service', demand.service);
  if (demand.scopes.length > 0) form.set('scope', demand.scopes.join(' '));
  if (credentials.kind === 'password') {
    form.set('grant_type', 'password');
    form.set('username', credentials.username);
    form.set('password', credentials.password);
  } else {
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credentials.token);
  }
  return {
    method: 'POST',
    url: demand.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  };
}
