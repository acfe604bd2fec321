/**
 * An authorizer of a registry in memory, by a clock that stands still.
 *
 *     const { send, hosts } = startAuthorizer(wantingToken({ status: 200 }), () => tokenOf('t'));
 *     await send();
 *     expect(hosts.asked).toEqual([…]);
 */
import { createEvents } from '../../src/events.ts';
import { AccountStanding } from '../../src/upstream/auth/account-standing.ts';
import { Authorizer } from '../../src/upstream/auth/authorizer.ts';
import { TokenClient } from '../../src/upstream/auth/token-client.ts';
import type { CredentialSource } from '../../src/upstream/credentials/credentials.ts';
import { Reporter } from '../../src/upstream/transport/reporter.ts';
import type { UpstreamResponse } from '../../src/upstream/transport/response.ts';
import type { HopRequest } from '../../src/upstream/transport/transport.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryHosts, type MemoryAnswer } from './memory-host.ts';

export const AUTHORIZER_REGISTRY = 'r.example';

type Answers<Parts extends readonly unknown[]> = (...parts: Parts) => MemoryAnswer | Promise<MemoryAnswer>;

/**
 * @param registry answers a request with this Authorization, to any host and path but `/token`
 * @param realm answers requests for `/token`
 */
export function startAuthorizer(
  registry: Answers<[authorization: string | undefined, hop: HopRequest]>,
  realm: Answers<[hop: HopRequest]>,
  credentials?: CredentialSource,
) {
  const clock = new ManualClock();
  const deps = { clock, events: createEvents() };
  const hosts = new MemoryHosts((hop) =>
    hop.url.pathname === '/token' ? realm(hop) : registry(hop.headers['authorization'], hop),
  );
  const upstream = AUTHORIZER_REGISTRY;
  const shared = { upstream, clock, send: hosts.send, reporter: new Reporter(upstream, deps) };
  const authorizer = new Authorizer({
    ...shared,
    url: new URL(`https://${upstream}`),
    credentials,
    trustedRealms: [],
    standing: new AccountStanding(upstream, deps),
    tokenClient: new TokenClient(shared),
  });
  /** Asks for the tags of this repository. */
  const send = (repository = 'a', host = upstream): Promise<UpstreamResponse> =>
    authorizer.send({
      method: 'GET',
      url: new URL(`https://${host}/v2/${repository}/tags/list`),
      headers: {},
    });
  /** Returns how often the token endpoint was asked. */
  const tokens = (): number => hosts.asked.filter((asked) => asked.includes('/token')).length;
  return { clock, hosts, authorizer, send, tokens };
}

export function bearerChallenge(rest = '', realm = `https://${AUTHORIZER_REGISTRY}/token`): MemoryAnswer {
  return {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${realm}"${rest}` },
    document: { errors: [{ code: 'UNAUTHORIZED' }] },
  };
}

export const BASIC_CHALLENGE: MemoryAnswer = {
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="x"' },
};

/** Makes the answers of a registry that wants a token. @param answer to a request with a token */
export function wantingToken(answer: MemoryAnswer, challenge = bearerChallenge()) {
  return (authorization: string | undefined): MemoryAnswer =>
    authorization === undefined ? challenge : answer;
}

/** Makes an answer with a token that is valid for an hour. */
export function tokenOf(value: string): MemoryAnswer {
  return { status: 200, document: { token: value, expires_in: 3600 } };
}

/** Makes the account `bot`, whose password is the first of these, and the next one after each refusal. */
export function accountWith(...passwords: readonly (string | undefined)[]): CredentialSource {
  const left = [...passwords];
  return {
    async get() {
      const [password] = left;
      return password === undefined ? undefined : { kind: 'password', username: 'bot', password };
    },
    invalidate: () => void left.shift(),
  };
}

/** Returns that account's Authorization. */
export function basicOf(password: string): string {
  return `Basic ${Buffer.from(`bot:${password}`).toString('base64')}`;
}
