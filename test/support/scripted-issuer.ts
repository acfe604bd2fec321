import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { json, status, type Incoming, type Reply } from './scripted-reply.ts';
import { startServer, type Hit, type ServerOptions } from './scripted-server.ts';

/** An issuer whose documents and tokens are what a test says. It makes one key at the start. */
export interface ScriptedIssuer extends AsyncDisposable {
  /** The claim `iss` of its tokens: `http://127.0.0.1:port`. */
  readonly issuer: string;
  readonly hits: readonly Hit[];
  /** Replaces the answer at a path; without one, the issuer's own counts again. */
  answer(path: string, reply: Reply | undefined): void;
  /** Has the issuer sign by a new key, and publish that one alone. */
  rotate(alg?: string): Promise<void>;
  /** Makes a token of the present key. Its issuer, audience and times are right unless the claims say otherwise. */
  sign(claims?: JWTPayload, header?: { readonly kid?: string; readonly alg?: string }): Promise<string>;
}

export const KEYS_PATH = '/keys';
export const DISCOVERY_PATH = '/.well-known/openid-configuration';

/** The audience of the tokens. */
export const AUDIENCE = 'larder.example.com';

interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** @param now the present time, milliseconds since the epoch */
export async function startScriptedIssuer(
  now: () => number,
  options: ServerOptions = {},
): Promise<ScriptedIssuer> {
  const answers = new Map<string, Reply>();
  let made = 0;
  let key = await makeKey('ES256', `key-${(made += 1)}`);
  const respond = ({ path }: Incoming): Reply => {
    const own = path === KEYS_PATH ? json({ keys: [key.jwk] }) : discovery(path, server.url.origin);
    return answers.get(path) ?? own;
  };
  const server = await startServer(respond, options);
  const issuer = server.url.origin;
  return {
    issuer,
    hits: server.hits,
    answer(path, reply) {
      if (reply === undefined) answers.delete(path);
      else answers.set(path, reply);
    },
    async rotate(alg = 'ES256') {
      key = await makeKey(alg, `key-${(made += 1)}`);
    },
    sign(claims = {}, header = {}) {
      const seconds = Math.floor(now() / 1000);
      const whole = { iss: issuer, aud: AUDIENCE, sub: 'job', iat: seconds, exp: seconds + 300, ...claims };
      const { alg, kid } = key;
      return new SignJWT(whole).setProtectedHeader({ alg, kid, ...header }).sign(key.privateKey);
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function discovery(path: string, issuer: string): Reply {
  return path === DISCOVERY_PATH ? json({ issuer, jwks_uri: issuer + KEYS_PATH }) : status(404);
}

async function makeKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' } };
}
