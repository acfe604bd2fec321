import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { OutdatedAnswer } from '../../../src/asking/outdated/outdated-answer.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { larderCommand } from '../../support/e2e/larder.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { instead, status } from '../../support/scripted-reply.ts';

/** A registry whose repository acme/app has all these tags of one image. */
async function start(...tags: readonly string[]) {
  const registry = await startFakeRegistry();
  const { digest } = registry.putImage('acme/app', undefined);
  for (const tag of tags) registry.tag('acme/app', tag, digest);
  return {
    registry,
    digest,
    app: `localhost:${registry.port}/acme/app`,
    [Symbol.asyncDispose]: async () => registry.close(),
  };
}

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'larder-outdated-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'deploy'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function outdated(names: readonly string[], input = '') {
  return larderCommand(['outdated', ...names], { DOCKER_CONFIG: '/nowhere' }, input);
}

test('the images of files of all kinds are compared, and the registry is asked each question once', async () => {
  await using world = await start('1.0', '1.1', '1.1-slim', '2.0-rc1', 'latest');
  const { app, registry, digest } = world;
  const folder = await folderOf({
    Dockerfile: `ARG V\nFROM ${app}:1.0 AS one\nFROM ${app}:1.1@${digest}\nFROM ${app}:$V\n`,
    'compose.yaml': `services:\n  web:\n    image: ${app}:1.0\n  own:\n    build: .\n`,
    'deploy/pod.yaml': `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ${app}:1.1-slim\n`,
  });
  const { code, stdout, stderr } = await outdated([folder, `${app}:latest`]);
  expect(stdout.replaceAll(folder, '.').replaceAll(app, 'app').split('\n')).toEqual([
    'outdated app:1.0: 1.1 is newer',
    '  ./Dockerfile:2',
    '  ./compose.yaml:3',
    'unknown app:$V: ARG V has no default',
    '  ./Dockerfile:4',
    '1 outdated, 1 unknown, 3 current',
    '',
  ]);
  expect([code, stderr]).toEqual([1, `${folder}/compose.yaml:5: service own is built, not pulled\n`]);
  expect(registry.count({ kind: 'tags' })).toBe(1);
  expect(registry.count({ kind: 'manifest' })).toBe(4);
});

test('nothing outdated is exit code 0', async () => {
  await using world = await start('1.0');
  expect(await outdated([`${world.app}:1.0`])).toMatchObject({
    code: 0,
    stdout: '0 outdated, 0 unknown, 1 current\n',
  });
});

test('a digest that its tag has left is outdated, and --json says what the schema says', async () => {
  await using world = await start('stable');
  const old = world.registry.putImage('acme/app', undefined, { layers: [Buffer.from('old')] });
  const list = `${world.app}:stable@${old.digest}\n`;
  const { code, stdout } = await outdated(['-', '--json'], list);
  expect(code).toBe(1);
  expect(OutdatedAnswer.strict().parse(JSON.parse(stdout))).toEqual({
    images: [
      {
        image: `${world.app}:stable@${old.digest}`,
        places: [{ file: '-', line: 1 }],
        state: 'outdated',
        digest: world.digest,
        reasons: [`stable is now ${world.digest}`],
      },
    ],
    notes: [],
  });
});

test('a registry that fails makes its images unknown, with the reason; the others are compared all the same', async () => {
  await using broken = await start('1.0');
  await using whole = await start('1.0', '1.1');
  failing(broken.registry);
  const { code, stdout } = await outdated([
    `${broken.app}:1.0`,
    `${whole.app}:1.0`,
    `${whole.app}@${digestOf('x')}`,
  ]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^unknown localhost:\d+\/acme\/app:1\.0: .*500/m);
  expect(stdout).toContain(`outdated ${whole.app}:1.0: 1.1 is newer`);
  expect(stdout).toContain('1 outdated, 1 unknown, 1 current');
});

test('a name that is neither a file nor a reference is a mistake in the command line', async () => {
  const { code, stderr } = await outdated(['Nothing']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('"Nothing" is no reference')]);
});

function failing(registry: FakeRegistry): void {
  registry.fault({ kind: 'manifest' }, instead(status(500)));
}
