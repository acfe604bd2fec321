import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { MemoryHosts, type MemoryAnswer } from '../../../test/support/memory-host.ts';
import { createEvents } from '../../events.ts';
import type { CredentialSource } from '../credentials/credentials.ts';
import { CredentialError } from '../credentials/credentials.ts';
import { Reporter } from '../transport/reporter.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { HopRequest } from '../transport/transport.ts';
import { AccountStanding } from './account-standing.ts';
import { Authorizer } from './authorizer.ts';
import { TokenClient } from './token-client.ts';

const REGISTRY = 'r.example';
const TAGS = '/v2/a/tags/list';
const UNAUTHORIZED = { errors: [{ code: 'UNAUTHORIZED' }] };

const challenge = (rest = '', realm = `https://${REGISTRY}/token`): MemoryAnswer => ({
  status: 401,
  headers: { 'www-authenticate': `Bearer realm="${realm}"${rest}` },
  document: UNAUTHORIZED,
});
const token = (value: string): MemoryAnswer => ({
  status: 200,
  document: { token: value, expires_in: 3600 },
});
const basic = (password: string): string => `Basic ${Buffer.from(`bot:${password}`).toString('base64')}`;
const account = (...passwords: readonly (string | undefined)[]): CredentialSource => {
  const left = [...passwords];
  return {
    async get() {
      const [password] = left;
      return password === undefined ? undefined : { kind: 'password', username: 'bot', password };
    },
    invalidate: () => void left.shift(),
  };
};

/**
 * @param registry what it answers to a request with this Authorization
 * @param realm what the token endpoint answers
 */
function start(
  registry: (authorization: string | undefined, hop: HopRequest) => MemoryAnswer,
  realm: (hop: HopRequest) => MemoryAnswer,
  credentials?: CredentialSource,
) {
  const clock = new ManualClock();
  const deps = { clock, events: createEvents() };
  const hosts = new MemoryHosts((hop) =>
    hop.url.pathname === '/token' ? realm(hop) : registry(hop.headers['authorization'], hop),
  );
  const shared = { upstream: REGISTRY, clock, send: hosts.send, reporter: new Reporter(REGISTRY, deps) };
  const authorizer = new Authorizer({
    ...shared,
    url: new URL(`https://${REGISTRY}`),
    credentials,
    trustedRealms: [],
    standing: new AccountStanding(REGISTRY, deps),
    tokenClient: new TokenClient(shared),
  });
  const send = (path = TAGS): Promise<UpstreamResponse> =>
    authorizer.send({ method: 'GET', url: new URL(path, `https://${REGISTRY}`), headers: {} });
  return { clock, hosts, authorizer, send };
}

/** A registry that wants a token, and answers this to one. */
const wanting =
  (answer: MemoryAnswer, challenged = challenge()) =>
  (authorization: string | undefined): MemoryAnswer =>
    authorization === undefined ? challenged : answer;

test('a refusal is got rid of before the request is sent again', async () => {
  const { hosts, send } = start(wanting({ status: 200 }), () => token('t'));
  await send();
  expect(hosts.asked.at(-1)).toBe(`GET ${REGISTRY}${TAGS} Bearer t`);
  expect([hosts.openBefore.at(-1), hosts.open]).toEqual([0, 1]);
});

test('a refusal is got rid of before it is told that no token can be had', async () => {
  const { hosts, send } = start(wanting({ status: 200 }), () => ({ status: 502 }));
  await expect(send()).rejects.toThrow('no token');
  expect(hosts.open).toBe(0);
});

test.each([
  [59_999, 1],
  [60_000, 2],
])('a token that grants too little is asked for anew after %i ms: %i in all', async (ms, tokens) => {
  const { clock, hosts, send } = start(wanting(challenge(',error="insufficient_scope"')), () => token('t'));
  await send();
  clock.advance(ms);
  await send();
  expect(hosts.asked.filter((asked) => asked.includes('/token'))).toHaveLength(tokens);
});

test('a registry that has become open is not made to wait for its broken realm again and again', async () => {
  let isOpen = false;
  const { clock, hosts, send } = start(
    (authorization) => (isOpen ? { status: 200 } : wanting({ status: 200 })(authorization)),
    () => (isOpen ? { status: 502 } : token('t')),
  );
  await send();
  isOpen = true;
  clock.advance(3_600_000);
  hosts.asked.length = 0;
  for (let times = 0; times < 2; times++) expect((await send()).status).toBe(200);
  expect(hosts.asked).toEqual([`GET ${REGISTRY}/token`, ...Array<string>(2).fill(`GET ${REGISTRY}${TAGS}`)]);
});

describe('of a refusal is told', () => {
  test.each([
    ['nothing where the realm got the account', REGISTRY, account('pw'), undefined],
    ['nothing where there is no account', 'evil.test', undefined, undefined],
    [
      'that the account was kept from a realm',
      'evil.test',
      account('pw'),
      /not sent to the token realm evil\.test/u,
    ],
  ])('%s', async (_, host, credentials, note) => {
    const { send } = start(
      wanting(
        { status: 403, document: { errors: [{ code: 'DENIED' }] } },
        challenge('', `https://${host}/token`),
      ),
      () => token('t'),
      credentials,
    );
    const answer = await send();
    expect(answer.note).toEqual(note === undefined ? undefined : expect.stringMatching(note));
  });

  test('that the account is refused, where it was shown itself', async () => {
    const { send } = start(
      () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' }, document: UNAUTHORIZED }),
      () => token('t'),
      account('pw'),
    );
    expect(await send()).toMatchObject({
      refusedAs: 'account-refused',
      note: 'the configured account is refused',
    });
  });
});

describe('the account', () => {
  test('is known to be refused once the token endpoint has said so, and to be taken once a token opens the door', async () => {
    let answer: MemoryAnswer = { status: 401 };
    const { clock, authorizer, send } = start(wanting({ status: 200 }), () => answer, account('pw', 'pw'));
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused' });
    expect(authorizer.standing.refusal).toContain('answered 401');
    answer = token('t');
    clock.advance(30_000);
    await send();
    expect(authorizer.standing.refusal).toBeUndefined();
  });

  test('is not known to be taken by an answer that says no', async () => {
    let answer: MemoryAnswer = { status: 401 };
    const { clock, authorizer, send } = start(wanting({ status: 400 }), () => answer, account('pw', 'pw'));
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused' });
    answer = token('t');
    clock.advance(30_000);
    await send();
    expect(authorizer.standing.refusal).toContain('answered 401');
  });

  test.each([
    ['401', { status: 401 }],
    ['403 without a document', { status: 403 }],
    ['403 in a document', { status: 403, document: UNAUTHORIZED }],
  ])('is shown with its new secret to a realm that answers %s to the old one', async (_, refusal) => {
    const { send } = start(
      wanting({ status: 200 }),
      ({ headers }) => (headers['authorization'] === basic('new') ? token('t') : refusal),
      account('old', 'new'),
    );
    expect((await send()).status).toBe(200);
  });

  test.each([
    ['500', { status: 500 }, 1],
    ['429', { status: 429 }, 1],
  ])('is shown once to a realm that answers %s: that is not about its secret', async (_, refusal, tokens) => {
    const { hosts, send } = start(wanting({ status: 200 }), () => refusal, account('old', 'new'));
    await expect(send()).rejects.toThrow('no token');
    expect(hosts.asked.filter((asked) => asked.includes('/token'))).toHaveLength(tokens);
  });

  test('that is gone when it is read again is refused, and nothing is asked for without it', async () => {
    const { hosts, send } = start(
      wanting({ status: 200 }),
      () => ({ status: 401 }),
      account('old', undefined),
    );
    await expect(send()).rejects.toMatchObject({ reason: 'account-refused', status: 401 });
    expect(hosts.asked.filter((asked) => asked.includes('/token'))).toEqual([
      `GET ${REGISTRY}/token ${basic('old')}`,
    ]);
  });

  test('whose secret has changed is read again where the registry itself refuses it', async () => {
    const challenged = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
    const { send } = start(
      (authorization) => (authorization === basic('new') ? { status: 200 } : challenged),
      () => token('t'),
      account('old', 'new'),
    );
    expect((await send()).status).toBe(401);
    expect((await send()).status).toBe(200);
  });
});

describe('upstream was asked', () => {
  test('where it named a realm that is not asked', async () => {
    const { send } = start(wanting({ status: 200 }, challenge('', `http://${REGISTRY}/token`)), () =>
      token('t'),
    );
    await expect(send()).rejects.toMatchObject({
      reason: 'challenge',
      failure: 'unavailable',
      wasAsked: true,
    });
  });

  test('but says nothing where the account cannot be read', async () => {
    const credentials = {
      get: () => Promise.reject(new CredentialError('no file')),
      invalidate: vi.fn<() => void>(),
    };
    const { send } = start(wanting({ status: 200 }), () => token('t'), credentials);
    await expect(send()).rejects.toMatchObject({ reason: 'credentials', wasAsked: false });
  });
});
