import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeToken } from '../../../src/access/tokens/static-token.ts';
import { formatTokens } from '../../../src/access/tokens/token-list.ts';
import { htpasswd } from '../../support/access-settings.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/e2e/temporary.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import type { ReceivedAnswer } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';

let stack: AsyncDisposableStack;
let registry: FakeRegistry;
let folder: TemporaryDirectory;
let users: string;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  registry = stack.use(await startFakeRegistry());
  folder = stack.use(await temporaryDirectory('access'));
  users = join(folder.path, 'users.htpasswd');
  await writeFile(users, htpasswd({ alice: 'secret', bob: 'secret' }));
});

afterEach(() => stack.disposeAsync());

/** The images of acme are for alice and the robot `ci`; all others are open. */
async function start(): Promise<MirrorFixture> {
  const access = {
    users,
    groups: { acme: ['user:alice', 'token:ci'] },
    rules: [
      { repositories: ['ghcr.io/acme/**'], who: ['group:acme'], allow: ['pull', 'tags'] },
      { repositories: ['ghcr.io/acme/**'], who: ['anonymous'], allow: [] },
    ],
    anonymous: 'pull',
  };
  registry.putImage('acme/app', 'latest');
  registry.putImage('library/debian', 'latest');
  const upstreams = [
    { name: 'docker.io', registry, addLibrary: true },
    { name: 'ghcr.io', registry },
  ];
  return stack.use(await startMirror({ upstreams, access, directory: folder.path }));
}

function basic(pair: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

const PRIVATE = '/v2/ghcr.io/acme/app/manifests/latest';

async function pull(mirror: MirrorFixture, headers: Record<string, string>, path = PRIVATE): Promise<number> {
  return (await mirror.get(path, { headers })).status;
}

function tokenIn({ body }: ReceivedAnswer): string {
  return (JSON.parse(body.toString()) as { token: string }).token;
}

it('a user of the file may pull what the rules say, and with wrong credentials nothing', async () => {
  const mirror = await start();
  expect(await pull(mirror, {})).toBe(401);
  expect(await pull(mirror, basic('alice:secret'))).toBe(200);
  expect(await pull(mirror, basic('alice:wrong'))).toBe(401);
  expect(await pull(mirror, basic('bob:secret'))).toBe(404);
  const open = '/v2/docker.io/library/debian/manifests/latest';
  expect(await pull(mirror, {}, open)).toBe(200);
  expect(await pull(mirror, basic('alice:wrong'), open)).toBe(401);
});

it('the token endpoint knows the users and the rules', async () => {
  const mirror = await start();
  const path = '/token?service=larder&scope=repository:ghcr.io/acme/app:pull';
  const alice = tokenIn(await mirror.get(path, { headers: basic('alice:secret') }));
  expect(await pull(mirror, { Authorization: `Bearer ${alice}` })).toBe(200);
  const bob = tokenIn(await mirror.get(path, { headers: basic('bob:secret') }));
  expect(await pull(mirror, { Authorization: `Bearer ${bob}` })).toBe(404);
  const anonymous = tokenIn(await mirror.get(path));
  expect(await pull(mirror, { Authorization: `Bearer ${anonymous}` })).toBe(401);
  expect((await mirror.get(path, { headers: basic('alice:wrong') })).status).toBe(401);
});

it('a static token of the cache directory may pull by its name', async () => {
  const now = Date.now();
  const made = [
    { name: 'ci', now },
    { name: 'other', now },
  ].map((each) => makeToken(each, randomBytes));
  await mkdir(join(folder.path, 'access'));
  const list = new Map(made.map(({ token }) => [token.id, token]));
  await writeFile(join(folder.path, 'access', 'tokens.json'), formatTokens(list));
  const mirror = await start();
  const [ci = '', other = ''] = made.map(({ text }) => text);
  expect(await pull(mirror, basic(`anything:${ci}`))).toBe(200);
  expect(await pull(mirror, { Authorization: `Bearer ${ci}` })).toBe(200);
  expect(await pull(mirror, basic(`anything:${other}`))).toBe(404);
});

it('a user who is removed is out within a second, with the tokens issued before', async () => {
  const mirror = await start();
  const path = '/token?scope=repository:ghcr.io/acme/app:pull';
  const headers = basic('alice:secret');
  const token = { Authorization: `Bearer ${tokenIn(await mirror.get(path, { headers }))}` };
  expect([await pull(mirror, headers), await pull(mirror, token)]).toEqual([200, 200]);
  await writeFile(users, htpasswd({ bob: 'secret' }));
  await vi.waitFor(() => {
    mirror.clock.advance(1000);
    expect(mirror.events).toContainEqual(
      expect.objectContaining({ kind: 'access-changed', removed: ['alice'] }),
    );
  });
  expect([await pull(mirror, headers), await pull(mirror, token)]).toEqual([401, 401]);
});

it('without rules shows the metrics to this machine alone, also behind a proxy on it', async () => {
  const upstreams = [{ name: 'docker.io', registry }];
  const mirror = stack.use(await startMirror({ upstreams, trustedProxies: ['127.0.0.1/32'] }));
  const statusFor = async (client: string): Promise<number> =>
    (await mirror.get('/metrics', { headers: { 'X-Forwarded-For': client } })).status;
  expect((await mirror.get('/metrics')).status).toBe(200);
  expect(await statusFor('127.0.0.1')).toBe(200);
  expect(await statusFor('192.0.2.1')).toBe(401);
});

it('with a rule that opens the metrics shows them to clients behind a proxy', async () => {
  const rules = [{ repositories: ['**'], who: ['anonymous'], allow: ['metrics'] }];
  const upstreams = [{ name: 'docker.io', registry }];
  const mirror = stack.use(
    await startMirror({ upstreams, trustedProxies: ['127.0.0.1/32'], access: { rules } }),
  );
  const answer = await mirror.get('/metrics', { headers: { 'X-Forwarded-For': '192.0.2.1' } });
  expect(answer.status).toBe(200);
});
