/** `larder passwd` and `larder token`, with and without a running server. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareSync } from 'bcryptjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseHtpasswd } from '../../../src/access/users/htpasswd.ts';
import { larder, larderCommand } from '../../support/e2e/larder.ts';
import type { Exit } from '../../support/e2e/process.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/e2e/temporary.ts';

let directory: TemporaryDirectory;
let users: string;
let config: string;

beforeEach(async () => {
  directory = await temporaryDirectory('logins');
  users = join(directory.path, 'users');
  config = join(directory.path, 'config.yaml');
  await writeFile(
    config,
    `cache: { directory: ${directory.path}/cache }\naccess: { users: ./users, anonymous: pull }\n`,
  );
});

afterEach(() => directory[Symbol.asyncDispose]());

const BOB = `$2b$04$${'a'.repeat(53)}`;

function passwd(args: readonly string[], input: string | Uint8Array = ''): Promise<Exit> {
  return larderCommand(['passwd', ...args], {}, input);
}

function token(...args: readonly string[]): Promise<Exit> {
  return larderCommand(['token', ...args, '--config', config]);
}

async function hashOf(name: string): Promise<string> {
  return parseHtpasswd(await readFile(users, 'utf8')).hashes.get(name) ?? '';
}

describe('larder passwd', () => {
  test('makes the file of the configuration, changes a password, and removes a user', async () => {
    expect(await passwd(['alice', '--config', config], 'secret\n')).toMatchObject({
      code: 0,
      stdout: `set the password of alice in ${users}\n`,
      stderr: '',
    });
    expect((await stat(users)).mode & 0o777).toBe(0o600);
    expect(compareSync('secret', await hashOf('alice'))).toBe(true);
    expect(await passwd(['alice', '--file', users], 'other')).toMatchObject({ code: 0 });
    expect(compareSync('other', await hashOf('alice'))).toBe(true);
    expect(await passwd(['alice', '--file', users, '--delete'])).toMatchObject({ code: 0 });
    expect(await readFile(users, 'utf8')).toBe('');
    expect(await passwd(['alice', '--file', users, '--delete'])).toMatchObject({ code: 1 });
  });

  test('sets the password, and tells what else makes the file unusable', async () => {
    await writeFile(users, 'bob:$apr1$old\nalice:secret\n');
    const problem = `${users}:1: the password of "bob" is an MD5 hash (apr1)`;
    const set = await passwd(['alice', '--file', users], 'secret');
    expect(set).toMatchObject({ code: 1, stdout: `set the password of alice in ${users}\n` });
    expect(set.stderr).toContain(`larder: the file cannot be used yet: ${problem}`);
    const removed = await passwd(['alice', '--file', users, '--delete']);
    expect(removed).toMatchObject({ code: 1, stdout: `removed alice from ${users}\n`, stderr: set.stderr });
    expect(await passwd(['bob', '--file', users], 'secret')).toMatchObject({ code: 0, stderr: '' });
  });

  test('refuses a password that is no text', async () => {
    const exit = await passwd(['alice', '--file', users], Buffer.from([0x61, 0xff, 0x0a]));
    expect(exit).toMatchObject({ code: 1, stdout: '' });
    expect(exit.stderr).toContain('the password is no valid UTF-8');
    expect(await readdir(directory.path)).toEqual(['config.yaml']);
  });

  test('keeps the other lines, and what two commands do at once', async () => {
    await writeFile(users, `# the team\n\nbob:${BOB}\n`);
    const both = await Promise.all(
      ['alice', 'eve'].map((name) => passwd([name, '--file', users], `${name}\n`)),
    );
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await readFile(users, 'utf8')).toContain(`# the team\n\nbob:${BOB}\n`);
    expect(compareSync('alice', await hashOf('alice'))).toBe(true);
    expect(compareSync('eve', await hashOf('eve'))).toBe(true);
    expect(await readdir(directory.path)).toEqual(['config.yaml', 'users']);
  });

  test.each([
    ['an empty password', ['a'], '\n', 1, 'larder: the password is empty\n'],
    [
      'a password that bcrypt would cut',
      ['a'],
      'x'.repeat(73),
      1,
      'larder: the password has 73 bytes: bcrypt reads at most 72\n',
    ],
    [
      'a name with a colon',
      ['a:b'],
      'x',
      2,
      'larder: a name cannot contain a colon, since Basic authentication ends it there\n',
    ],
  ])('refuses %s', async (_, args, input, code, stderr) => {
    expect(await passwd([...args, '--file', users], input)).toMatchObject({ code, stdout: '', stderr });
  });

  test('needs a file', async () => {
    await writeFile(config, 'offline: true\n');
    expect(await passwd(['alice', '--config', config], 'x')).toMatchObject({
      code: 2,
      stderr: 'larder: the configuration names no file of users: set access.users, or name one by --file\n',
    });
  });
});

describe('larder token', () => {
  test('makes, lists and revokes tokens', async () => {
    const made = await token('create', 'ci', '--expires', '90d');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/^larder_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n$/);
    const [, id = '', secret = ''] = /^larder_([0-9a-f]{12})_(.*)\n$/.exec(made.stdout) ?? [];
    const file = join(directory.path, 'cache', 'access', 'tokens.json');
    expect(await readFile(file, 'utf8')).not.toContain(secret);
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    await token('create', 'ci');
    const listed = JSON.parse((await token('list', '--json')).stdout) as Record<string, string>[];
    expect(listed).toMatchObject([
      { name: 'ci', id },
      { name: 'ci', expires: null },
    ]);
    const { created = '', expires = '' } = listed[0] ?? {};
    expect(Date.parse(expires) - Date.parse(created)).toBe(90 * 86_400_000);
    expect((await token('list')).stdout).toMatch(
      /^NAME +ID +CREATED +EXPIRES\nci +[0-9a-f]{12} .*\nci .* -\n$/,
    );

    expect(await token('revoke', id)).toMatchObject({ code: 0, stdout: `revoked ci (${id})\n` });
    expect((await token('revoke', 'ci')).stdout).toMatch(/^revoked ci \([0-9a-f]{12}\)\n$/);
    expect(await token('revoke', 'ci')).toMatchObject({ code: 1, stderr: 'larder: there is no token ci\n' });
    expect((await token('list', '--json')).stdout).toBe('[]\n');
  });

  test('warns that no rule asks for a login', async () => {
    await writeFile(config, `cache: { directory: ${directory.path}/cache }\naccess: { anonymous: pull }\n`);
    const made = await token('create', 'ci');
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^larder_\S+\n$/) });
    expect(made.stderr).toMatch(/^larder: warning: no rule asks for a login.*\n$/);
  });

  test('loses no token of several commands at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => token('create', name)));
    const listed = JSON.parse((await token('list', '--json')).stdout) as { name: string }[];
    expect(listed.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test.each([
    ['a name that rules cannot mean', ['create', 'a b'], 'larder: a name has up to 64 letters'],
    ['no duration', ['create', 'ci', '--expires', 'soon'], 'larder: --expires: expected a duration'],
    ['no time', ['create', 'ci', '--expires', '0s'], 'larder: --expires: expected a duration'],
    ['no command', ['crate'], "error: unknown command 'crate'"],
    ['no name', ['create'], "error: missing required argument 'name'"],
  ])('refuses %s', async (_, args, stderr) => {
    const exit = await token(...args);
    expect([exit.code, exit.stdout]).toEqual([2, '']);
    expect(exit.stderr).toContain(stderr);
  });
});

test('a running server takes users and tokens as the commands change them', async () => {
  await writeFile(users, '');
  const rules = [{ repositories: ['**'], who: ['authenticated'], allow: ['pull'] }];
  const cacheDirectory = join(directory.path, 'cache');
  await using server = await larder({ access: { users, rules } }, { cacheDirectory });
  const ping = async (authorization: string): Promise<number> =>
    (await fetch(`${server.url}/v2/`, { headers: { Authorization: authorization } })).status;
  const alice = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
  expect(await ping(alice)).toBe(401);
  await passwd(['alice', '--file', users], 'secret\n');
  await expect.poll(() => ping(alice)).toBe(200);
  await passwd(['alice', '--file', users, '--delete']);
  await expect.poll(() => ping(alice)).toBe(401);
  const bearer = `Bearer ${(await token('create', 'ci')).stdout.trim()}`;
  await expect.poll(() => ping(bearer)).toBe(200);
  await token('revoke', 'ci');
  await expect.poll(() => ping(bearer)).toBe(401);
});
