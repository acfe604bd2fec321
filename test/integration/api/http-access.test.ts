import { expect, test } from 'vitest';
import { Gate } from '../../../src/access/gate.ts';
import { Rules } from '../../../src/access/rules/rules.ts';
import { apiWorld } from '../../support/api-doors.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { scriptedAuthentication } from '../../support/scripted-authentication.ts';

const STATS = '/api/v1/stats';
const PINS = '/api/v1/pins';
const JSON_TYPE = { 'Content-Type': 'application/json' };
const PIN = { method: 'POST', body: '{"reference":"acme/app:1"}' };

/** A mirror without rules. */
async function withoutRules(): Promise<AsyncDisposable & { readonly mirror: MirrorFixture }> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const upstreams = [{ name: 'registry.test', registry }];
  const mirror = stack.use(await startMirror({ upstreams, trustedProxies: ['127.0.0.1/32'] }));
  const parts = stack.move();
  return { mirror, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

test.each<[string, Record<string, string>, number, string]>([
  ['a program on this machine', {}, 200, ''],
  ['one that says localhost', { Host: 'localhost:5000' }, 200, ''],
  ['a page whose name was led here (DNS rebinding)', { Host: 'evil.test:5000' }, 403, 'Host'],
  ['a page of another site', { 'Sec-Fetch-Site': 'cross-site' }, 403, 'another site'],
  ['a page of another port', { Origin: 'http://127.0.0.1:1' }, 403, 'another origin'],
  ['another machine, by a proxy', { 'X-Forwarded-For': '192.0.2.7' }, 401, 'authentication'],
])('without rules, reading by %s', async (_, headers, status, detail) => {
  await using world = await withoutRules();
  const answer = await world.mirror.get(STATS, { headers });
  expect(answer.status).toBe(status);
  if (status === 200) return;
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    status,
    detail: expect.stringContaining(detail),
  });
});

test('without rules, no request by HTTP changes anything', async () => {
  await using world = await withoutRules();
  const { status, body } = await world.mirror.get(PINS, { ...PIN, headers: JSON_TYPE });
  expect([status, body.toString()]).toEqual([403, expect.stringContaining('larder command alone')]);
});

test.each<[string, Record<string, string>, number]>([
  ['the page of a registry beside it', { Origin: 'http://evil.test', ...JSON_TYPE }, 403],
  ['a page that the browser names', { 'Sec-Fetch-Site': 'same-site', ...JSON_TYPE }, 403],
  ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
  ['a form of plain text', { 'Content-Type': 'text/plain' }, 415],
  ['a form without a type', {}, 415],
  ['a program', { 'Content-Type': 'Application/JSON; charset=utf-8' }, 200],
])('with the credentials that a browser has kept, %s is answered', async (_, headers, status) => {
  await using world = await apiWorld();
  const authorized = { Authorization: 'operator', Host: 'mirror.test', ...headers };
  expect((await world.mirror.get(PINS, { ...PIN, headers: authorized })).status).toBe(status);
  const { pins } = await world.doors.socket.client.call('pins', { query: {} });
  expect(pins).toHaveLength(status === 200 ? 1 : 0);
});

test('a rule for all lets none change anything without a login, but read', async () => {
  const rules = new Rules(
    [{ repositories: ['**'], who: [{ kind: 'anonymous' }], allow: ['pull', 'read', 'admin'] }],
    new Map(),
  );
  const alice = { kind: 'user', name: 'alice' } as const;
  const gate = new Gate(rules, scriptedAuthentication({ alice: { principal: alice } }, true));
  await using world = await apiWorld({ gate });
  const change = (headers: Record<string, string>): ReturnType<MirrorFixture['get']> =>
    world.mirror.get(PINS, { ...PIN, headers: { ...JSON_TYPE, ...headers } });
  expect((await world.mirror.get(STATS)).status).toBe(200);
  const refused = await change({});
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([
    401,
    expect.stringMatching(/^Basic /),
  ]);
  expect((await change({ Authorization: 'alice' })).status).toBe(200);
});

test('a body that is too large is refused, and one that is no JSON', async () => {
  await using world = await apiWorld();
  const headers = { Authorization: 'operator', ...JSON_TYPE };
  const large = await world.mirror.get(PINS, { method: 'POST', headers, body: ' '.repeat(9_000_000) });
  expect(large.status).toBe(413);
  const { status, body } = await world.mirror.get(PINS, { method: 'POST', headers, body: '{' });
  expect([status, body.toString()]).toEqual([400, expect.stringContaining('"field":"body"')]);
});

test('no answer is kept by a cache between, and the log says who asked and for what', async () => {
  await using world = await apiWorld();
  const { headers } = await world.mirror.get(STATS, { headers: { Authorization: 'operator' } });
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  await expect.poll(() => world.mirror.served.at(-1)).toMatchObject({ user: 'user:operator', url: STATS });
  await world.mirror.get(STATS);
  await expect
    .poll(() => world.mirror.events.find(({ kind }) => kind === 'access-denied'))
    .toMatchObject({ failure: 'no-credentials', action: 'read' });
});
