import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CatalogAnswer, LatestAnswer, TagCountAnswer, TagsAnswer } from '../../../src/asking/answers.ts';
import { larderCommand } from '../../support/e2e/larder.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');

async function start(tags: readonly string[], pageSize = 2): Promise<FakeRegistry> {
  const registry = await startFakeRegistry({ pageSize });
  const { digest } = registry.putImage('acme/app', tags[0]);
  for (const tag of tags) registry.tag('acme/app', tag, digest);
  return registry;
}

/** Runs a command that asks, without the accounts of whoever runs the test. */
async function ask(...args: readonly string[]) {
  return larderCommand(args, { DOCKER_CONFIG: '/nowhere' });
}

test('tags are printed one a line, chosen by name, limited or counted', async () => {
  await using registry = await start(['1.0', '1.0-slim', '2.0', '2.0-rc1', 'latest']);
  const repository = `localhost:${registry.port}/acme/app`;
  const lines = async (...args: readonly string[]) => (await ask('tags', repository, ...args)).stdout;
  expect(await lines()).toBe('1.0\n1.0-slim\n2.0\n2.0-rc1\nlatest\n');
  expect(await lines('--match', '?.0*', '--exclude', '*-rc*')).toBe('1.0\n1.0-slim\n2.0\n');
  expect(await lines('--count')).toBe('5\n');
  expect(await lines('--count', '--match', '*-*')).toBe('2\n');
  const before = registry.count({ kind: 'tags' });
  expect(await lines('--limit', '1')).toBe('1.0\n');
  expect(registry.count({ kind: 'tags' })).toBe(before + 1);
});

test('--json prints what the schemas say', async () => {
  await using registry = await start(['1', '2', '3']);
  const repository = `localhost:${registry.port}/acme/app`;
  const json = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await ask('tags', repository, '--json', ...args)).stdout);
  expect(TagsAnswer.strict().parse(await json())).toEqual({ repository, tags: ['1', '2', '3'] });
  expect(TagCountAnswer.strict().parse(await json('--count'))).toEqual({ repository, count: 3 });
});

const VERSIONS = ['1.9.1', '1.10.0', '1.10.0-alpine', '1.11.0-alpine', '1.10.1-rc1', '2.0.0-rc1', 'latest'];

test('tags in a range come by version, the newest first', async () => {
  await using registry = await start(VERSIONS);
  const repository = `localhost:${registry.port}/acme/app`;
  const lines = async (...args: readonly string[]) =>
    (await ask('tags', repository, ...args)).stdout.split('\n');
  expect(await lines('--semver', '^1')).toEqual(['1.11.0-alpine', '1.10.0-alpine', '1.10.0', '1.9.1', '']);
  expect(await lines('--semver', '>=1', '--exclude', '*-alpine', '--limit', '2', '--prerelease')).toEqual([
    '2.0.0-rc1',
    '1.10.1-rc1',
    '',
  ]);
  expect(await lines('--semver', '^1', '--count')).toEqual(['4', '']);
});

test.each([
  [[], '1.10.0'],
  [['--prerelease'], '2.0.0-rc1'],
  [['--semver', '<1.10'], '1.9.1'],
  [['--match', '*-alpine'], '1.11.0-alpine'],
  [['--exclude', '1.10.0'], '1.9.1'],
])('latest %j is %s', async (args, tag) => {
  await using registry = await start(VERSIONS);
  const { stdout } = await ask('latest', `localhost:${registry.port}/acme/app`, ...args);
  expect(stdout).toBe(`${tag}\n`);
});

test('latest by the time of making asks the images, and says that time in JSON', async () => {
  await using registry = await start(['1.0']);
  const image = (tag: string | undefined, created: string) =>
    registry.putImage('acme/app', tag, { config: { created } });
  image('new', '2024-05-01T00:00:00Z');
  const { descriptor } = image(undefined, '2024-06-01T00:00:00Z');
  const attestation = { ...image(undefined, '2025-01-01T00:00:00Z').descriptor };
  const unknown = { os: 'unknown', architecture: 'unknown' };
  registry.putIndex('acme/app', 'newest', [{ ...attestation, platform: unknown }, descriptor]);
  image(`sha256-${'0'.repeat(64)}`, '2025-01-01T00:00:00Z');
  const repository = `localhost:${registry.port}/acme/app`;
  const { stdout, stderr } = await ask('latest', repository, '--by', 'created', '--json');
  expect(stderr).toBe('');
  expect(LatestAnswer.strict().parse(JSON.parse(stdout))).toEqual({
    repository,
    tag: 'newest',
    created: '2024-06-01T00:00:00Z',
  });
});

test('too many tags are not asked when they were made', async () => {
  await using registry = await start(
    Array.from({ length: 201 }, (_, i) => `1.${i}`),
    500,
  );
  const { code, stderr } = await ask('latest', `localhost:${registry.port}/acme/app`, '--by', 'created');
  expect(code).toBe(2);
  expect(stderr).toContain('more than 200 tags');
  expect(registry.count({ kind: 'manifest' })).toBe(0);
});

test('no tag that counts is a failure', async () => {
  await using registry = await start(['latest', 'edge']);
  const { code, stderr } = await ask('latest', `localhost:${registry.port}/acme/app`);
  expect(code).toBe(1);
  expect(stderr).toContain('no tag of acme/app is a version or a date');
});

test('a catalog is printed by pages', async () => {
  await using registry = await start(['1']);
  for (const name of ['a', 'b', 'c']) registry.putBlob(name, Buffer.from(name));
  const name = `localhost:${registry.port}`;
  expect((await ask('catalog', name)).stdout).toBe('a\nacme/app\nb\nc\n');
  const { stdout } = await ask('catalog', name, '--json');
  const repositories = ['a', 'acme/app', 'b', 'c'];
  expect(CatalogAnswer.strict().parse(JSON.parse(stdout))).toEqual({ registry: name, repositories });
});

test.each([
  ['a tag behind the repository', ['tags', 'alpine:3'], 'expected a repository without a tag'],
  ['a name that is none', ['tags', 'Alpine'], 'is not a repository name'],
  ['a limit of none', ['tags', 'alpine', '--limit', '0'], 'expected a whole number from 1'],
  ['a broken glob', ['tags', 'alpine', '--match', '[a'], 'brackets in pairs'],
  ['an empty glob', ['tags', 'alpine', '--match', ''], 'is invalid. Expected a glob such as'],
  ['a file that is not there', ['digest', './nowhere.tar'], 'there is no file "./nowhere.tar"'],
  ['a folder for a file', ['digest', '/'], '"/" is no file'],
  ['no file to be looked at', ['outdated', 'nowhere/'], 'there is no file "nowhere/"'],
  [
    'an authority that is not there',
    ['tags', 'alpine', '--ca', '/nowhere'],
    '/nowhere cannot be read: ENOENT',
  ],
  ['a mirror that is none', ['tags', 'alpine', '--via', 'a b'], 'is no address'],
  ['a repository for a registry', ['catalog', 'alpine'], 'is no registry'],
])('%s is a mistake of usage', async (_, args, message) => {
  const { code, stdout, stderr } = await ask(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
});

test.each([[[]], [['--json']], [['--count']]])(
  'a registry that refuses is a failure in one line: %j',
  async (args) => {
    await using registry = await start(['1']);
    const { code, stdout, stderr } = await ask('tags', `localhost:${registry.port}/acme/other`, ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^larder: localhost:\d+: GET acme\/other\/tags\/list: .*NAME_UNKNOWN.*\n$/);
  },
);

test('a reader that closes its end early leaves no error, and ends the questions', async () => {
  await using registry = await start(
    Array.from({ length: 20_000 }, (_, i) => `1.${i}`),
    100,
  );
  const program = spawn(process.execPath, [MAIN, 'tags', `localhost:${registry.port}/acme/app`], {
    env: { ...process.env, DOCKER_CONFIG: '/nowhere' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  program.stderr.on('data', (text) => (stderr += String(text)));
  program.stdout.once('data', () => program.stdout.destroy());
  const code = await new Promise((resolve) => program.once('close', resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(registry.count({ kind: 'tags' })).toBeLessThan(200);
});
