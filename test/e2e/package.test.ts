import { mkdir, readdir, symlink } from 'node:fs/promises';
import { delimiter, dirname, join, relative } from 'node:path';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { OLDEST_NODE } from '../../src/cli/node-version.ts';
import { attempt, run } from '../support/e2e/process.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/e2e/temporary.ts';

const ROOT = join(import.meta.dirname, '../..');

/** An otherwise empty folder into which the packed package was installed, as npm would from a registry. */
let folder: TemporaryDirectory;

beforeAll(async () => {
  folder = await temporaryDirectory('package');
  await install(folder.path);
}, 120_000);

afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

/** Packs the package, unpacks it, and links what package.json says that it depends on: nothing else is there. */
async function install(path: string): Promise<void> {
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', path], { cwd: ROOT });
  const own = join(path, 'node_modules/larder');
  await mkdir(own, { recursive: true });
  const archive = join(path, packed.trim().split('\n').at(-1) ?? '');
  await run('tar', ['-xzf', archive, '-C', own, '--strip-components=1']);
  await run('rm', [archive]);
  const listed = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: ROOT });
  for (const dependency of listed.trim().split('\n').slice(1)) await link(dependency, path);
  const bin = join(path, 'node_modules/.bin');
  await mkdir(bin);
  await symlink(join('../larder', manifest.bin.larder), join(bin, 'larder'));
  await run('chmod', ['+x', join(own, manifest.bin.larder)]);
}

async function link(dependency: string, path: string): Promise<void> {
  const name = relative(join(ROOT, 'node_modules'), dependency);
  // What lies inside another dependency comes with that.
  if (name.includes('node_modules')) return;
  const place = join(path, 'node_modules', name);
  await mkdir(dirname(place), { recursive: true });
  await symlink(dependency, place);
}

const npx = async (...args: readonly string[]) =>
  attempt('npx', ['--no-install', 'larder', ...args], {
    cwd: folder.path,
    env: { DOCKER_CONFIG: '/nowhere' },
  });

describe('the packed package, in a folder without a configuration file', () => {
  test('starts', async () => {
    expect(await npx('--version')).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
    expect(await npx('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: larder') });
  });

  test('asks a registry', async () => {
    await using registry = await startFakeRegistry();
    const { digest } = registry.putImage('acme/app', '1');
    const image = `localhost:${registry.port}/acme/app:1`;
    expect(await npx('digest', image)).toMatchObject({ code: 0, stdout: `${digest}\n` });
  });

  test('leaves nothing behind', async () => {
    expect(await readdir(folder.path)).toEqual(['node_modules']);
  });

  test('says what it needs to serve', async () => {
    const { code, stderr } = await npx('serve');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('config.yaml: expected a configuration file'),
    ]);
  });
});

describe('an old Node', async () => {
  const old = await oldNode();

  test.skipIf(old === undefined)('is refused in one sentence', async () => {
    const launcher = join(folder.path, 'node_modules/.bin/larder');
    const { code, stdout, stderr } = await attempt(old ?? '', [launcher, '--version'], { cwd: folder.path });
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      expect.stringMatching(/^larder needs Node 24 or later, and this is Node [\d.]+: .*\n$/),
    ]);
  });
});

/** Returns the machine's own Node if that is too old for Larder. */
async function oldNode(): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const node = join(directory, 'node');
    const { stdout } = await attempt(node, ['--version']).catch(() => ({ stdout: '' }));
    if (stdout !== '' && Number(/\d+/.exec(stdout)?.[0]) < OLDEST_NODE) return node;
  }
  return undefined;
}
