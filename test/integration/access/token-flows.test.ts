import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeToken, type StaticToken } from '../../../src/access/tokens/static-token.ts';
import { formatTokens } from '../../../src/access/tokens/token-list.ts';
import { parseChallenges } from '../../../src/http/challenge.ts';
import { htpasswd } from '../../support/access-settings.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/e2e/temporary.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import type { ReceivedAnswer, RequestOptions } from '../../support/http-get.ts';
import {
  MINUTE,
  startMirror,
  type MirrorFixture,
  type MirrorFixtureOptions,
} from '../../support/mirror-fixture.ts';

const DAY = 24 * 60 * MINUTE;

let stack: AsyncDisposableStack;
let registry: FakeRegistry;
let folder: TemporaryDirectory;
let users: string;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  registry = stack.use(await startFakeRegistry());
  registry.putImage('acme/app', 'latest');
  registry.putImage('acme/other', 'latest');
  registry.putImage('library/debian', 'latest');
  folder = stack.use(await temporaryDirectory('access'));
  users = join(folder.path, 'users.htpasswd');
  await writeFile(users, htpasswd({ alice: 'secret' }));
});

afterEach(() => stack.disposeAsync());

/** Docker Hub is open, and what is of acme is for Alice and the robot `ci`. */
async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<MirrorFixture> {
  const access = {
    users,
    rules: [
      { repositories: ['ghcr.io/acme/**'], who: ['user:alice', 'token:ci'], allow: ['pull', 'tags'] },
      { repositories: ['docker.io/**'], who: ['anonymous'], allow: ['pull', 'tags'] },
    ],
  };
  const upstreams = [
    { name: 'docker.io', registry, addLibrary: true },
    { name: 'ghcr.io', registry, hosts: ['ghcr.mirror.test'] },
  ];
  return startMirror({ upstreams, access, directory: folder.path, ...options });
}

/** Makes a token of the robot `ci`, which no file names yet. */
function newToken(expiresAt?: number): ReturnType<typeof makeToken> {
  return makeToken({ name: 'ci', now: Date.UTC(2026, 0, 1), ...(expiresAt && { expiresAt }) }, randomBytes);
}

async function writeTokens(...tokens: readonly StaticToken[]): Promise<void> {
  await mkdir(join(folder.path, 'access'), { recursive: true });
  const list = new Map(tokens.map((token) => [token.id, token]));
  await writeFile(join(folder.path, 'access', 'tokens.json'), formatTokens(list));
}

/** Writes the file of static tokens. @returns the secret of the robot `ci` */
async function makeRobot(expiresAt?: number): Promise<string> {
  const { token, text } = newToken(expiresAt);
  await writeTokens(token);
  return text;
}

/** Waits until the mirror has read a file of access again. */
async function seen(mirror: MirrorFixture, change: () => Promise<void>): Promise<void> {
  const told = mirror.events.length;
  await change();
  await vi.waitFor(() => {
    mirror.clock.advance(1000);
    const since = mirror.events.slice(told);
    expect(since).toContainEqual(expect.objectContaining({ kind: 'access-changed', state: 'changed' }));
  });
}

function basic(pair: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

function form(fields: Readonly<Record<string, string>>): RequestOptions {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', headers, body: new URLSearchParams(fields).toString() };
}

interface TokenAnswer {
  readonly token: string;
  readonly expires_in: number;
  readonly scope?: string;
}

function tokenIn({ body }: ReceivedAnswer): TokenAnswer {
  return JSON.parse(body.toString()) as TokenAnswer;
}

/** Returns the path and query of the realm, and the scope, of an answer's challenge. */
function challengeIn({ status, headers }: ReceivedAnswer): {
  readonly realm: string;
  readonly scope: string;
} {
  expect(status).toBe(401);
  const [challenge] = parseChallenges(headers['www-authenticate']);
  const { pathname, search } = new URL(challenge?.params.get('realm') ?? '');
  return { realm: `${pathname}${search}`, scope: challenge?.params.get('scope') ?? '' };
}

/** Asks for a token as most clients do: at the realm of a challenge, which may have a query already. */
async function askFor(
  mirror: MirrorFixture,
  realm: string,
  scopes: readonly string[],
  headers: Record<string, string>,
): Promise<ReceivedAnswer> {
  const url = new URL(realm, 'http://mirror');
  url.searchParams.set('service', 'larder');
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return mirror.get(`${url.pathname}${url.search}`, { headers });
}

const APP = '/v2/ghcr.io/acme/app/manifests/latest';
const PULL_APP = 'repository:ghcr.io/acme/app:pull';

async function statusOf(
  mirror: MirrorFixture,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  return (await mirror.get(path, { headers })).status;
}

describe('the whole way of', () => {
  it('docker login: it fails with a wrong password, and succeeds with the right one', async () => {
    await using mirror = await start();
    const { realm } = challengeIn(await mirror.get('/v2/'));
    expect((await askFor(mirror, realm, [], basic('alice:wrong'))).status).toBe(401);
    const { token } = tokenIn(await askFor(mirror, realm, [], basic('alice:secret')));
    expect(await statusOf(mirror, '/v2/', bearer(token))).toBe(200);
    expect(await statusOf(mirror, APP, bearer(token))).toBe(401);
  });

  it('docker pull: by the ping alone it learns where tokens are', async () => {
    await using mirror = await start();
    const { realm } = challengeIn(await mirror.get('/ghcr.io/v2/'));
    const scope = 'repository:acme/app:pull';
    const { token } = tokenIn(await askFor(mirror, realm, [scope], basic('alice:secret')));
    expect(await statusOf(mirror, '/ghcr.io/v2/acme/app/manifests/latest', bearer(token))).toBe(200);
  });

  it('containerd: it asks for the name of the reference beside that of the challenge, and posts its password', async () => {
    await using mirror = await start();
    const path = '/v2/acme/app/manifests/latest?ns=ghcr.io';
    const { realm, scope } = challengeIn(await mirror.head(path));
    const fields = {
      client_id: 'containerd-client',
      grant_type: 'password',
      service: 'larder',
      username: 'alice',
      password: 'secret',
      scope: `repository:acme/app:pull ${scope}`,
    };
    const { token } = tokenIn(await mirror.get(realm, form(fields)));
    expect(await statusOf(mirror, path, bearer(token))).toBe(200);
  });

  it('containerd with a path: its mirror has the name of the registry in front', async () => {
    await using mirror = await start();
    const path = `${APP}?ns=ghcr.io`;
    const { realm, scope } = challengeIn(await mirror.head(path));
    const fields = { grant_type: 'password', username: 'alice', password: 'secret' };
    for (const asked of [scope, 'repository:acme/app:pull']) {
      const { token } = tokenIn(await mirror.get(realm, form({ ...fields, scope: asked })));
      expect(await statusOf(mirror, path, bearer(token))).toBe(200);
    }
  });

  it('podman: by the ping it learns where tokens are, and it asks by its own path', async () => {
    await using mirror = await start();
    const { realm } = challengeIn(await mirror.get('/v2/'));
    const { token } = tokenIn(await askFor(mirror, realm, [PULL_APP], basic('alice:secret')));
    expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    const open = '/v2/docker.io/library/debian/manifests/latest';
    const asked = ['repository:docker.io/library/debian:pull'];
    const anonymous = tokenIn(await askFor(mirror, realm, asked, {}));
    expect(await statusOf(mirror, open, bearer(anonymous.token))).toBe(200);
  });

  it('a client by the name of a host, with an address of tokens that is another one', async () => {
    await using mirror = await start({ publicUrl: new URL('https://mirror.example') });
    const headers = { Host: 'ghcr.mirror.test' };
    const path = '/v2/acme/app/manifests/latest';
    const { realm, scope } = challengeIn(await mirror.get(path, { headers }));
    const { token } = tokenIn(await askFor(mirror, realm, [scope], basic('alice:secret')));
    expect(await statusOf(mirror, path, { ...headers, ...bearer(token) })).toBe(200);
  });

  it('crane copy: one token for several repositories', async () => {
    await using mirror = await start();
    const other = '/v2/ghcr.io/acme/other/manifests/latest';
    const scopes = [PULL_APP, 'repository:ghcr.io/acme/other:pull,push'];
    const { token } = tokenIn(await askFor(mirror, '/token', scopes, basic('alice:secret')));
    expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    expect(await statusOf(mirror, other, bearer(token))).toBe(200);
  });

  it('the catalog', async () => {
    await using mirror = await start();
    expect(await statusOf(mirror, APP, basic('alice:secret'))).toBe(200);
    const scopes = ['registry:catalog:*'];
    const { token } = tokenIn(await askFor(mirror, '/token', scopes, basic('alice:secret')));
    const answer = await mirror.get('/v2/_catalog', { headers: bearer(token) });
    expect(JSON.parse(answer.body.toString())).toEqual({ repositories: ['ghcr.io/acme/app'] });
    expect(await statusOf(mirror, APP, bearer(token))).toBe(401);
  });
});

it('two Authorizations give no token, though each would', async () => {
  await using mirror = await start();
  const { Authorization = '' } = basic('alice:secret');
  expect((await mirror.get('/token', { headers: { Authorization } })).status).toBe(200);
  const headers = { Authorization: [Authorization, Authorization] };
  expect((await mirror.get('/token', { headers })).status).toBe(401);
});

describe('a token in place of a password', () => {
  async function exchanged(mirror: MirrorFixture, token: string, scope: string): Promise<ReceivedAnswer> {
    return mirror.get('/token', form({ grant_type: 'refresh_token', refresh_token: token, scope }));
  }

  it('of Larder gives no more than it holds, and ends no later', async () => {
    await using mirror = await start();
    const { token } = tokenIn(await askFor(mirror, '/token', [PULL_APP], basic('alice:secret')));
    mirror.clock.advance(2 * MINUTE);
    const both = `${PULL_APP} repository:ghcr.io/acme/other:pull registry:catalog:*`;
    const narrower = tokenIn(await exchanged(mirror, token, both));
    expect(narrower).toMatchObject({ expires_in: 180, scope: PULL_APP });
    expect(await statusOf(mirror, APP, bearer(narrower.token))).toBe(200);
    const other = '/v2/ghcr.io/acme/other/manifests/latest';
    expect(await statusOf(mirror, other, bearer(narrower.token))).toBe(401);
    mirror.clock.advance(3 * MINUTE);
    expect((await exchanged(mirror, narrower.token, PULL_APP)).status).toBe(401);
  });

  it('that is static gives tokens as a password does, until its own end', async () => {
    const text = await makeRobot(Date.UTC(2026, 0, 1) + 2 * MINUTE);
    await using mirror = await start();
    for (const asked of [
      () => exchanged(mirror, text, PULL_APP),
      () => askFor(mirror, '/token', [PULL_APP], basic(`any:${text}`)),
      () => askFor(mirror, '/token', [PULL_APP], bearer(text)),
    ]) {
      const { token, expires_in } = tokenIn(await asked());
      expect(expires_in).toBe(120);
      expect(decodeJwt(token)).toMatchObject({ sub: 'token:ci' });
      expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    }
    mirror.clock.advance(2 * MINUTE);
    expect((await exchanged(mirror, text, PULL_APP)).status).toBe(401);
  });
});

describe('a token ends', () => {
  it('after five minutes, though it was used and is remembered', async () => {
    await using mirror = await start();
    const { token } = tokenIn(await askFor(mirror, '/token', [PULL_APP], basic('alice:secret')));
    expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    mirror.clock.advance(5 * MINUTE - 1);
    expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    mirror.clock.advance(1);
    expect(challengeIn(await mirror.get(APP, { headers: bearer(token) }))).toMatchObject({ scope: PULL_APP });
  });

  it('with the static token that it was issued for', async () => {
    const text = await makeRobot();
    await using mirror = await start();
    const { token } = tokenIn(await askFor(mirror, '/token', [PULL_APP], bearer(text)));
    expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    await seen(mirror, () => writeTokens());
    expect(await statusOf(mirror, APP, bearer(token))).toBe(401);
  });

  it('with the static token that it was issued for, though others have its name', async () => {
    const [old, next] = [newToken(), newToken()];
    await writeTokens(old.token);
    await using mirror = await start();
    const { token } = tokenIn(await askFor(mirror, '/token', [PULL_APP], bearer(old.text)));
    await seen(mirror, () => writeTokens(old.token, next.token));
    expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    const other = tokenIn(await askFor(mirror, '/token', [PULL_APP], bearer(next.text)));
    await seen(mirror, () => writeTokens(next.token));
    expect(await statusOf(mirror, APP, bearer(token))).toBe(401);
    expect(await statusOf(mirror, APP, bearer(other.token))).toBe(200);
  });

  it('with the password that it was issued for, and takes along what it was exchanged for', async () => {
    await using mirror = await start();
    const { token } = tokenIn(await askFor(mirror, '/token', [PULL_APP], basic('alice:secret')));
    const narrower = tokenIn(await askFor(mirror, '/token', [PULL_APP], bearer(token)));
    const both = [token, narrower.token];
    // One is remembered, and the other is verified anew.
    expect(await statusOf(mirror, APP, bearer(token))).toBe(200);
    await seen(mirror, () => writeFile(users, htpasswd({ alice: 'other' })));
    for (const each of both) expect(await statusOf(mirror, APP, bearer(each))).toBe(401);
    const after = tokenIn(await askFor(mirror, '/token', [PULL_APP], basic('alice:other')));
    const exchanged = tokenIn(await askFor(mirror, '/token', [PULL_APP], bearer(after.token)));
    expect(await statusOf(mirror, APP, bearer(exchanged.token))).toBe(200);
  });

  it('with its user, though another one has got the name', async () => {
    await using mirror = await start();
    const { token } = tokenIn(await askFor(mirror, '/token', [PULL_APP], basic('alice:secret')));
    await seen(mirror, () => writeFile(users, ''));
    await seen(mirror, () => writeFile(users, htpasswd({ alice: 'other' })));
    expect(await statusOf(mirror, APP, bearer(token))).toBe(401);
  });

  it('neither with a restart nor with the change to a new key', async () => {
    const kids = new Set<unknown>();
    const tokens: string[] = [];
    const ask = async (mirror: MirrorFixture): Promise<void> => {
      const { token } = tokenIn(await askFor(mirror, '/token', [PULL_APP], basic('alice:secret')));
      kids.add(decodeProtectedHeader(token).kid);
      tokens.push(token);
      for (const each of tokens) expect(await statusOf(mirror, APP, bearer(each))).toBe(200);
    };
    {
      await using before = await start();
      await ask(before);
    }
    await using after = await start();
    await ask(after);
    expect(kids.size).toBe(1);
    after.clock.advance(30 * DAY - MINUTE);
    // Those before have expired.
    tokens.length = 0;
    await ask(after);
    after.clock.advance(MINUTE);
    await ask(after);
    expect(kids.size).toBe(2);
  });
});

it('a token of another Larder proves nothing', async () => {
  let foreign = '';
  {
    const other = stack.use(await temporaryDirectory('other'));
    await using mirror = await start({ directory: other.path });
    ({ token: foreign } = tokenIn(await askFor(mirror, '/token', [PULL_APP], basic('alice:secret'))));
  }
  await using mirror = await start();
  expect(await statusOf(mirror, APP, bearer(foreign))).toBe(401);
});
