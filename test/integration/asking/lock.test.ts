import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LockAnswer, LockCheckAnswer } from '../../../src/asking/answers.ts';
import { larderCommand } from '../../support/e2e/larder.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import type { Exit } from '../../support/e2e/process.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  /** `localhost:PORT` */
  readonly host: string;
  /** Returns the path of a file of the test. */
  path(name: string): string;
  write(name: string, ...lines: readonly string[]): Promise<string>;
  lock(...args: readonly string[]): Promise<Exit>;
}

async function start(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const directory = stack.use(await temporaryDirectory('lock'));
  const path = (name: string): string => join(directory.path, name);
  const owned = stack.move();
  return {
    registry,
    host: `localhost:${registry.port}`,
    path,
    async write(name, ...lines) {
      await writeFile(path(name), `${lines.join('\n')}\n`);
      return path(name);
    },
    // Without the accounts of the person who runs the test.
    lock: async (...args) => larderCommand(['lock', ...args], { DOCKER_CONFIG: '/nowhere' }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a list is locked, and the check says which tags have moved since', async () => {
  await using world = await start();
  const { registry, host } = world;
  const [app, old] = [registry.putImage('acme/app', '1'), registry.putImage('acme/old', 'latest')];
  const list = await world.write('list.txt', `${host}/acme/app:1`, `${host}/acme/old`, `${host}/acme/app:1`);
  const output = world.path('images.lock');
  expect(await world.lock(list, '-o', output)).toMatchObject({ code: 0, stdout: `${output}: 2 images\n` });
  const [appRef, oldRef] = [`${host}/acme/app:1@${app.digest}`, `${host}/acme/old:latest@${old.digest}`];
  expect(await readFile(output, 'utf8')).toContain(`images:\n  - ref: ${appRef}\n  - ref: ${oldRef}\n`);
  expect(registry.count({ kind: 'manifest' })).toBe(2);

  expect(await world.lock('--check', output)).toMatchObject({
    code: 0,
    stdout: `same      ${appRef}\nsame      ${oldRef}\n`,
  });
  const moved = registry.putImage('acme/app', '1', { layers: [Buffer.from('new')] });
  registry.deleteTag('acme/old', 'latest');
  const { code, stdout } = await world.lock('--check', output, '--json');
  expect(code).toBe(1);
  expect(LockCheckAnswer.strict().parse(JSON.parse(stdout))).toEqual({
    images: [
      { ref: appRef, state: 'moved', now: moved.digest },
      { ref: oldRef, state: 'gone' },
    ],
  });
});

test('locking a lock changes nothing and asks nothing', async () => {
  await using world = await start();
  const { digest } = world.registry.putImage('acme/app', '1');
  const lock = await world.write('a.lock', 'images:', `  - ref: ${world.host}/acme/app:1@${digest}`);
  const output = world.path('b.lock');
  const { code, stdout } = await world.lock(lock, '-o', output, '--json');
  expect({ code, answer: LockAnswer.strict().parse(JSON.parse(stdout)) }).toEqual({
    code: 0,
    answer: { output, images: 1 },
  });
  expect(await readFile(output, 'utf8')).toContain(await readFile(lock, 'utf8'));
  expect(world.registry.requests).toEqual([]);
});

test('the list goes to standard output, and nothing else does', async () => {
  await using world = await start();
  const { digest } = world.registry.putImage('acme/app', '1');
  const list = await world.write('list.txt', `${world.host}/acme/app:1`);
  const { code, stdout } = await world.lock(list, '-o', '-', '--json');
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(1)).toEqual(['images:', `  - ref: ${world.host}/acme/app:1@${digest}`, '']);
});

test('an image that cannot be told is named, and the list that is there stays', async () => {
  await using world = await start();
  world.registry.putImage('acme/app', '1');
  const list = await world.write('list.txt', `${world.host}/acme/app:1`, `${world.host}/acme/app:2`);
  const output = await world.write('images.lock', 'as it was');
  const { code, stderr } = await world.lock(list, '-o', output);
  expect(code).toBe(1);
  expect(stderr).toContain(`${world.host}/acme/app:2: `);
  expect(await readFile(output, 'utf8')).toBe('as it was\n');
});

test('a check that cannot be made says so, and fails', async () => {
  await using world = await start();
  const { digest } = world.registry.putImage('acme/app', '1');
  const refs = [`${world.host}/acme/app:1@${digest}`, `${world.host}/acme/app@${digest}`];
  const lock = await world.write('a.lock', 'images:', ...refs.map((ref) => `  - ref: ${ref}`));
  world.registry.down();
  const { code, stdout } = await world.lock('--check', lock);
  expect(code).toBe(1);
  expect(stdout).toContain(`unknown   ${refs[0]}: `);
  expect(stdout).toContain(`unlocked  ${refs[1]}: it needs a tag and a digest`);
});

test.each([
  ['no file', [], 'name a file with images'],
  ['a file that is not there', ['/nowhere/list.txt'], '/nowhere/list.txt cannot be read: ENOENT'],
])('%s is a mistake of usage', async (_, args, message) => {
  await using world = await start();
  expect(await world.lock(...args)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(message) as string,
  });
});

test('files that name no image replace no list', async () => {
  await using world = await start();
  const empty = await world.write('empty.txt', '# nothing');
  const output = await world.write('images.lock', 'as it was');
  const { code, stderr } = await world.lock(empty, '-o', output);
  expect({ code, stderr }).toEqual({ code: 2, stderr: `larder: ${empty}: no image is named there\n` });
  expect(await readFile(output, 'utf8')).toBe('as it was\n');
});

test('what is no text is not printed', async () => {
  await using world = await start();
  const [binary, steering] = [
    await world.write('a.bin', 'a\0\u001B[2Jb'),
    await world.write('b.txt', '\u001B[2J'),
  ];
  expect((await world.lock(binary)).stderr).toBe(`larder: ${binary}:1: this is no text\n`);
  expect((await world.lock(steering)).stderr).toContain('b.txt:1: \\u001b[2J: ');
});

test('what is no image is named with its line', async () => {
  await using world = await start();
  const list = await world.write('list.txt', '# images', 'Not an image', 'alpine', 'another mistake');
  const { code, stderr } = await world.lock(list);
  expect(code).toBe(2);
  expect(stderr).toMatch(/list\.txt:2: Not an image: .*\n.*list\.txt:4: another mistake: /);
});
