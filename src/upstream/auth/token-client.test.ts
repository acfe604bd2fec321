import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { MemoryHosts, type MemoryAnswer } from '../../../test/support/memory-host.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import type { Credentials } from '../credentials/credentials.ts';
import { UpstreamError } from '../error.ts';
import { Reporter } from '../transport/reporter.ts';
import type { HopRequest, Send } from '../transport/transport.ts';
import type { BearerDemand } from './demand.ts';
import { TokenClient } from './token-client.ts';
import type { ReceivedToken } from './token-response.ts';

const DEMAND: BearerDemand = {
  scheme: 'bearer',
  realm: new URL('https://a.example/token'),
  service: undefined,
  scopes: [],
};
const PASSWORD: Credentials = { kind: 'password', username: 'bot', password: 'pw' };
const REFRESH: Credentials = { kind: 'identity-token', token: 'refresh' };
const BASIC = `Basic ${Buffer.from('bot:pw').toString('base64')}`;
const TOKEN: MemoryAnswer = { status: 200, document: { token: 't', expires_in: 300 } };

function clientOf(send: Send): { client: TokenClient; events: LarderEvent[] } {
  const clock = new ManualClock();
  const bus = createEvents();
  const events: LarderEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const reporter = new Reporter('r.example', { clock, events: bus });
  return { client: new TokenClient({ upstream: 'r.example', clock, send, reporter }), events };
}

function start(answer: (hop: HopRequest) => MemoryAnswer) {
  const hosts = new MemoryHosts(answer);
  return { hosts, ...clientOf(hosts.send) };
}

const fetchFrom = (client: TokenClient, credentials?: Credentials): Promise<ReceivedToken> =>
  client.fetch(DEMAND, credentials);

test('fetching a token is reported as one request', async () => {
  const { client, hosts, events } = start(() => TOKEN);
  expect(await fetchFrom(client)).toEqual({ token: 't', lifetimeMs: 300_000 });
  expect(hosts.open).toBe(0);
  expect(events).toMatchObject([{ kind: 'upstream-request', target: 'token', method: 'GET', result: 'ok' }]);
});

describe('if the endpoint does not support the first way', () => {
  test.each<[string, Credentials, string[]]>([
    ['a password goes the other', PASSWORD, [`GET a.example/token ${BASIC}`, 'POST a.example/token']],
    [
      'a refresh token goes the other',
      REFRESH,
      [
        'POST a.example/token',
        `GET a.example/token Basic ${Buffer.from('<token>:refresh').toString('base64')}`,
      ],
    ],
  ])('%s, after the first answer is discarded', async (_, credentials, asked) => {
    let answers = 0;
    const { client, hosts } = start(() => (answers++ === 0 ? { status: 404 } : TOKEN));
    await fetchFrom(client, credentials);
    expect(hosts.asked).toEqual(asked);
    expect(hosts.openBefore).toEqual([0, 0]);
  });

  test('there is no third way', async () => {
    const { client, hosts } = start(() => ({ status: 404 }));
    await expect(fetchFrom(client, PASSWORD)).rejects.toMatchObject({ status: 404 });
    expect(hosts.asked).toHaveLength(2);
    expect(hosts.open).toBe(0);
  });
});

test('a redirect is followed by a GET, and takes the account to no other host', async () => {
  const { client, hosts } = start(({ url }) => {
    if (url.pathname === '/token') return { status: 307, headers: { location: '/moved' } };
    if (url.pathname === '/moved') return { status: 307, headers: { location: 'https://b.example/other' } };
    return TOKEN;
  });
  await fetchFrom(client, PASSWORD);
  expect(hosts.asked).toEqual([
    `GET a.example/token ${BASIC}`,
    `GET a.example/moved ${BASIC}`,
    'GET b.example/other',
  ]);
});

test('a redirect is not followed by a POST: the secret is in its body', async () => {
  const { client, hosts } = start(() => ({ status: 307, headers: { location: 'https://b.example/other' } }));
  await expect(fetchFrom(client, REFRESH)).rejects.toMatchObject({ failure: 'unavailable', status: 307 });
  expect(hosts.asked).toEqual(['POST a.example/token']);
});

const refused = { errors: [{ code: 'UNAUTHORIZED', message: 'who are you' }] };

test.each<[string, MemoryAnswer, Partial<UpstreamError>]>([
  ['401 in a registry’s words', { status: 401, document: refused }, { failure: 'denied', status: 401 }],
  ['404 in a registry’s words', { status: 404, document: refused }, { failure: 'denied', status: 404 }],
  ['404 without', { status: 404 }, { failure: 'unavailable', status: 404 }],
  ['401 without', { status: 401 }, { failure: 'unavailable', status: 401 }],
  [
    '429',
    { status: 429, headers: { 'retry-after': '7' } },
    { failure: 'throttled', status: 429, retryAfterMs: 7_000 },
  ],
  ['503', { status: 503 }, { failure: 'unavailable', status: 503 }],
  ['200 without a token', { status: 200, document: {} }, { failure: 'unavailable', status: 200 }],
])('%s is no token', async (_, answer, expected) => {
  const { client, hosts } = start(() => answer);
  const error: unknown = await fetchFrom(client).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UpstreamError);
  expect(error).toMatchObject({ reason: 'token', upstream: 'r.example', ...expected });
  expect((error as UpstreamError).said).toMatch(/^no token.* a\.example/u);
  expect(hosts.open).toBe(0);
});

test.each([
  ['a POST', REFRESH],
  ['a GET', PASSWORD],
])('without an answer, %s fails with its cause', async (_, credentials) => {
  const lost = new UpstreamError('r.example', 'unavailable', 'reset', 'a.example: connection lost');
  const { client } = clientOf(() => Promise.reject(lost));
  await expect(fetchFrom(client, credentials)).rejects.toMatchObject({
    failure: 'unavailable',
    reason: 'reset',
    said: 'no token: a.example: connection lost',
    cause: lost,
  });
});

test('an error of the program passes unchanged', async () => {
  const mistake = new TypeError('not a function');
  const { client } = clientOf(() => Promise.reject(mistake));
  await expect(fetchFrom(client, PASSWORD)).rejects.toBe(mistake);
});
