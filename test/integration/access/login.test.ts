/** Logging in by the real files, and by the threads that compare passwords. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeToken } from '../../../src/access/tokens/static-token.ts';
import { formatTokens } from '../../../src/access/tokens/token-list.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';

/** So low that a test takes no time, and so high that comparing takes longer than answering. */
const COST = 8;
const MANIFEST = '/v2/acme/app/manifests/1';

let folder: string;
let users: string;
let registry: FakeRegistry;
let mirror: MirrorFixture;

function hashed(...names: readonly string[]): string {
  return names.map((name) => `${name}:${hashSync(`${name}'s`, COST)}\n`).join('');
}

function basic(user: string, password = `${user}'s`): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** @returns the status of a pull from an address */
async function pull(headers: Record<string, string>, client = '192.0.2.1', agent?: Agent): Promise<number> {
  const forwarded = { ...headers, 'X-Forwarded-For': client };
  return (await mirror.get(MANIFEST, { headers: forwarded, ...(agent && { agent }) })).status;
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  users = join(folder, 'users');
  await writeFile(users, hashed('alice', 'bob'));
  registry = await startFakeRegistry();
  registry.putImage('acme/app', '1', { layers: [Buffer.from('layer')] });
  mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry }],
    trustedProxies: ['127.0.0.1/32'],
    access: {
      users,
      rules: [{ repositories: ['**'], who: ['authenticated'], allow: ['pull', 'tags'] }],
    },
  });
});

afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test.each([
  ['says https', { 'X-Forwarded-Proto': 'https' }, 'Bearer realm="https://mirror.example/token"'],
  ['says nothing of the scheme', {}, 'Basic realm="larder"'],
])('the challenge through a proxy that %s', async (_, headers, challenge) => {
  const forwarded = { ...headers, Host: 'mirror.example', 'X-Forwarded-For': '192.0.2.1' };
  const answer = await mirror.get('/v2/', { headers: forwarded });
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']?.startsWith(challenge)).toBe(true);
});

test('a right password pulls, a wrong one and none do not', async () => {
  expect(await pull(basic('alice'))).toBe(200);
  expect(await pull(basic('alice', 'wrong'))).toBe(401);
  expect(await pull(basic('eve'))).toBe(401);
  expect(await pull({})).toBe(401);
  expect(await pull({ Authorization: 'Basic Og==' })).toBe(401);
  expect(await pull({ Authorization: 'Negotiate x' })).toBe(401);
});

test('a user who is removed is out within a second, and one who is added is in', async () => {
  expect(await pull(basic('alice'))).toBe(200);
  await replace(users, hashed('bob', 'eve'));
  mirror.clock.advance(1000);
  await expect.poll(() => pull(basic('alice'))).toBe(401);
  expect(await pull(basic('eve'))).toBe(200);
  expect(mirror.events).toContainEqual({
    kind: 'access-changed',
    source: 'users',
    state: 'changed',
    added: ['eve'],
    removed: ['alice'],
    altered: ['bob'],
  });
});

test('a file that is damaged or missing locks out no user', async () => {
  for (const change of [() => writeFile(users, 'alice:secret'), () => rm(users)]) {
    const told = mirror.events.length;
    await change();
    await expect
      .poll(() => {
        mirror.clock.advance(1000);
        return mirror.events.slice(told).map(({ kind }) => kind);
      })
      .toContain('access-changed');
    expect(await pull(basic('alice'))).toBe(200);
  }
});

test('a static token pulls once its file names it, and until it does no more', async () => {
  const { token, text } = makeToken({ name: 'ci', now: mirror.clock.now() }, (bytes) =>
    Buffer.alloc(bytes, 1),
  );
  const bearer = { Authorization: `Bearer ${text}` };
  expect(await pull(bearer)).toBe(401);
  const path = join(mirror.directory, 'access', 'tokens.json');
  await mkdir(join(mirror.directory, 'access'), { recursive: true });
  await replace(path, formatTokens(new Map([[token.id, token]])));
  mirror.clock.advance(1000);
  await expect.poll(() => pull(bearer)).toBe(200);
  expect(await pull(basic('docker', text))).toBe(200);
  await replace(path, formatTokens(new Map()));
  await expect
    .poll(() => {
      mirror.clock.advance(1000);
      return pull(bearer);
    })
    .toBe(401);
});

describe('a flood of wrong logins from one address', () => {
  /** Sends many, a hundred at a time. @returns the statuses so far, and the end of all */
  function flood(
    times: number,
    userOf: (i: number) => string,
  ): { statuses: number[]; ended: Promise<unknown> } {
    const agent = new Agent({ keepAlive: true, maxSockets: 100 });
    const statuses: number[] = [];
    const logins = Array.from({ length: times }, async (_, i) => {
      statuses.push(await pull(basic(userOf(i), `guess ${times} ${i}`), '192.0.2.66', agent));
    });
    return { statuses, ended: Promise.all(logins).finally(() => agent.destroy()) };
  }

  function count(statuses: readonly number[], status: number): number {
    return statuses.filter((each) => each === status).length;
  }

  test('has ten passwords of a user compared, and makes no other client wait for more than its turn', async () => {
    expect(await pull(basic('bob'))).toBe(200);
    const begun = flood(20, () => 'alice');
    await expect.poll(() => count(begun.statuses, 429)).toBe(10);
    const before = count(begun.statuses, 401);
    // Bob's password is remembered; Alice's must be compared, at another address.
    expect(await pull(basic('bob'))).toBe(200);
    expect(await pull(basic('alice'))).toBe(200);
    expect(count(begun.statuses, 401) - before).toBeLessThan(8);
    const rest = flood(980, () => 'alice');
    await Promise.all([begun.ended, rest.ended]);
    const statuses = [...begun.statuses, ...rest.statuses];
    expect([count(statuses, 401), count(statuses, 429)]).toEqual([10, 990]);
  });

  test('has thirty passwords of many users compared at most', async () => {
    const all: number[] = [];
    expect(await pull(basic('bob'), '192.0.2.66')).toBe(200);
    // The queue takes eighteen at once; what it refuses counts for nothing.
    for (let turn = 0; turn < 5; turn += 1) {
      const { statuses, ended } = flood(200, (i) => `user ${turn} ${i}`);
      await ended;
      all.push(...statuses);
    }
    expect([count(all, 401), count(all, 429)]).toEqual([30, 970]);
    expect(await pull(basic('alice'), '192.0.2.66')).toBe(429);
    expect(await pull(basic('alice'))).toBe(200);
    // What is remembered for the address that floods is not throttled; for another address it tells this one nothing.
    expect(await pull(basic('bob'), '192.0.2.66')).toBe(200);
    expect(await pull(basic('alice'), '192.0.2.66')).toBe(429);
  });

  test('is told by a few events, that say nothing of the passwords', async () => {
    await flood(1000, () => 'alice').ended;
    const failed = mirror.events.filter(({ kind }) => kind === 'login-failed');
    expect(failed).toHaveLength(5);
    expect(failed[0]).toMatchObject({ client: '192.0.2.66', form: 'password', account: '"alice"' });
    expect(JSON.stringify(failed)).not.toContain('guess');
  });
});
