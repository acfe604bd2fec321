import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Provider, type Adapter, type Configuration } from 'oidc-provider';
import { AUDIENCE } from './scripted-issuer.ts';

/** A real OpenID Connect issuer in this process: npm's `oidc-provider`, by the system's clock. */
export interface OidcIssuer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly issuer: string;
  /** Logs the client in by its secret, and returns its token: a JWT with these claims besides the issuer's own. */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

const CLIENT_SECRET = 'secret-of-the-client';

/** Issuers name resources by URIs, and put into `aud` what the resource's server wants (RFC 8707). */
const RESOURCE = `https://${AUDIENCE}`;

/** Tokens that are JWTs are not kept, and nothing else is asked of this issuer. */
const KEEPS_NOTHING: Adapter = {
  upsert: () => Promise.resolve(),
  find: () => Promise.resolve(),
  findByUserCode: () => Promise.resolve(),
  findByUid: () => Promise.resolve(),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
};

/** @param client the name of its only client, and so the claim `sub` of its tokens */
export async function startOidcIssuer(client = 'job'): Promise<OidcIssuer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const next: { claims: Readonly<Record<string, unknown>> } = { claims: {} };
  const provider = new Provider(
    issuer,
    configuration(client, await signingKeys(), () => next.claims),
  );
  const answer = provider.callback();
  server.on('request', (request, response) => void answer(request, response));
  return {
    issuer,
    token(claims = {}) {
      next.claims = claims;
      return requestToken(`${issuer}/token`, client);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function configuration(
  client: string,
  keys: JWK[],
  claims: () => Readonly<Record<string, unknown>>,
): Configuration {
  return {
    jwks: { keys },
    adapter: () => KEEPS_NOTHING,
    ttl: { ClientCredentials: 300 },
    cookies: { keys: ['only for its pages, which are off'] },
    clients: [
      {
        client_id: client,
        client_secret: CLIENT_SECRET,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    extraTokenClaims: () => ({ ...claims() }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'pull',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}

/** An issuer may publish keys of several kinds. */
async function signingKeys(): Promise<JWK[]> {
  const of = async (alg: string): Promise<JWK> => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: alg };
  };
  return Promise.all([of('ES256'), of('RS256')]);
}

async function requestToken(endpoint: string, client: string): Promise<string> {
  const account = Buffer.from(`${encodeURIComponent(client)}:${CLIENT_SECRET}`).toString('base64');
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${account}`, connection: 'close' },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'pull' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`the issuer gave no token: ${answer.status}`);
  return token;
}
