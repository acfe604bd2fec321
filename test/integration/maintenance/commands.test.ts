import { randomBytes } from 'node:crypto';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { lockDirectory } from '../../../src/store/fs/lock.ts';
import type { Larder } from '../../support/e2e/larder.ts';
import { until } from '../../support/e2e/until.ts';
import type { StoredImage } from '../../support/fake-registry.ts';
import { get } from '../../support/http-get.ts';
import { larderWorld, REGISTRY, type LarderWorld } from '../../support/larder-world.ts';

const LAYER = randomBytes(200_000);
const LAYER_DIGEST = digestOf(LAYER);

const TIMEOUT = 60_000;

async function pull(larder: Larder, image: StoredImage): Promise<void> {
  const base = new URL(larder.url);
  await get(base, '/v2/acme/app/manifests/1');
  for (const { digest } of [image.config, ...image.layers]) {
    const { body } = await get(base, `/v2/acme/app/blobs/${digest}`);
    expect(digestOf(body)).toBe(digest);
  }
  await larder.idle();
}

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** One image, pulled through a server. */
async function startPulled(world: LarderWorld): Promise<{ server: Larder; image: StoredImage }> {
  const image = world.registry.putImage('acme/app', '1', { layers: [LAYER] });
  const server = await world.serve();
  await pull(server, image);
  return { server, image };
}

const outcome = ({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }) => ({
  code,
  stdout: stdout.trimEnd(),
  stderr: stderr.trimEnd(),
});

describe('a command', { timeout: TIMEOUT }, () => {
  test('reaches the server that runs, and its memory', async () => {
    await using world = await larderWorld();
    const { server, image } = await startPulled(world);
    await using _ = server;
    expect((await stat(join(world.cacheDirectory, 'control.sock'))).mode & 0o777).toBe(0o600);

    expect((await world.run('stats')).stdout).toContain('a server runs');
    const listed = JSON.parse((await world.run('ls', '--json')).stdout) as object[];
    expect(listed).toEqual([
      {
        repository: `${REGISTRY}/acme/app`,
        tags: 1,
        blobs: 3,
        bytes: LAYER.length + image.bytes.length + image.config.size,
        pins: 0,
        lastUse: expect.stringMatching(/^20\d\d-.*Z$/),
      },
    ]);
    expect(outcome(await world.run('pin', 'acme/app:1'))).toEqual({
      code: 0,
      stdout: `pinned ${REGISTRY}/acme/app:1`,
      stderr: '',
    });
    const table = (await world.run('ls', 'acme/app')).stdout.split('\n');
    expect(table[0]).toMatch(/^TAG +DIGEST +BLOBS +SIZE +LAST USE +PINNED$/);
    expect(table[1]).toMatch(new RegExp(`^1 +${image.digest} +3 +196 KiB +\\d{4}-.*Z +yes$`));
    expect((await world.run('unpin', 'acme/app')).stdout).toBe(`unpinned ${REGISTRY}/acme/app:1\n`);

    const before = world.registry.requests.length;
    expect(outcome(await world.run('rm', `${REGISTRY}/acme/app:1`))).toEqual({
      code: 0,
      stdout: `${REGISTRY}/acme/app:1: removed 1 tag; 3 blobs, 196 KiB`,
      stderr: '',
    });
    await pull(server, image);
    expect(world.registry.requests.length - before).toBe(4);
    expect(JSON.parse((await world.run('stats', '--json')).stdout)).toMatchObject({ blobs: 3 });
  });

  test('does without a server what it does with one', async () => {
    await using world = await larderWorld();
    const { server } = await startPulled(world);
    await server.stop();
    expect(await world.files('control')).toEqual([]);

    expect((await world.run('stats')).stdout).toContain('no server runs');
    expect((await world.run('ls')).stdout).toMatch(
      /^REPOSITORY .*\nregistry\.test:5000\/acme\/app +1 +3 +196 KiB/,
    );
    expect((await world.run('pin', LAYER_DIGEST)).stdout).toBe(`pinned ${LAYER_DIGEST}\n`);
    expect(JSON.parse((await world.run('stats', '--json')).stdout)).toMatchObject({ blobs: 3, pins: 1 });
    const removed = JSON.parse((await world.run('rm', '--json', 'acme/app', 'nothing')).stdout) as object[];
    expect(removed).toEqual([
      { reference: 'acme/app', tags: 1, blobs: 2, bytes: expect.any(Number) },
      {
        reference: 'nothing',
        error: { code: 'unknown', message: `nothing is cached of ${REGISTRY}/nothing` },
      },
    ]);
    expect(JSON.parse((await world.run('stats', '--json')).stdout)).toMatchObject({ blobs: 1 });
  });

  test('finds what a crash of the server has left in its place', async () => {
    await using world = await larderWorld();
    const { server, image } = await startPulled(world);
    await server.stop('SIGKILL');
    expect(await world.files('control')).toEqual(['control.sock']);
    expect((await world.run('stats')).stdout).toContain('no server runs');
    await using again = await world.serve();
    await pull(again, image);
    expect((await world.run('stats')).stdout).toContain('a server runs');
  });

  test('lists, shows and watches jobs, with a server and without', async () => {
    await using world = await larderWorld();
    const { server } = await startPulled(world);
    expect((await world.run('rm', 'acme/none')).code).toBe(1);
    expect((await world.run('verify')).code).toBe(0);
    const listed = JSON.parse((await world.run('jobs', '--json')).stdout) as { id: string; kind: string }[];
    expect(listed.map(({ kind }) => kind)).toEqual(['verify', 'remove']);
    const id = listed[0]?.id ?? '';
    expect((await world.run('jobs')).stdout).toMatch(new RegExp(`^ID .*\n${id} +verify +done +20.*Z`));
    expect(outcome(await world.run('jobs', 'watch', id))).toEqual({
      code: 0,
      stdout: 'verify done',
      stderr: '',
    });
    const listedFirst = listed.at(-1)?.id ?? '';
    expect(outcome(await world.run('jobs', 'watch', listedFirst))).toMatchObject({
      code: 1,
      stderr: `larder: not all of it could be done: see larder jobs show ${listedFirst}`,
    });
    await server.stop();

    const shown = JSON.parse((await world.run('jobs', 'show', id)).stdout) as object;
    expect(shown).toMatchObject({ id, state: 'done', request: { repair: false }, result: { isSound: true } });
    expect(outcome(await world.run('jobs', 'cancel', 'none'))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'larder: there is no job none',
    });
  });

  test('is refused where the directory is another’s who does not answer', async () => {
    await using world = await larderWorld();
    const lock = await lockDirectory(world.cacheDirectory);
    expect(outcome(await world.run('stats'))).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^larder: the cache directory .* is in use by process \d+ on /),
    });
    await lock.release();
  });
});

describe('verify', { timeout: TIMEOUT }, () => {
  test('under a server sets aside what is wrong, and the next pull heals it; --repair heals it at once', async () => {
    await using world = await larderWorld({ cache: { verifyRate: '1GiB' } });
    const { server, image } = await startPulled(world);
    await using _ = server;
    expect(outcome(await world.run('verify'))).toMatchObject({ code: 0, stderr: '' });

    await flipBit(world.pathOf(LAYER_DIGEST));
    const found = outcome(await world.run('verify', '--rate', 'unlimited'));
    expect(found).toMatchObject({ code: 1, stderr: '' });
    expect(found.stdout).toContain(`quarantined ${LAYER_DIGEST}: the stored bytes have the digest sha256:`);
    const before = world.registry.requests.length;
    await pull(server, image);
    expect(world.registry.requests).toHaveLength(before + 1);

    await truncate(world.pathOf(LAYER_DIGEST), 5);
    const repaired = outcome(await world.run('verify', '--repair'));
    expect(repaired).toMatchObject({ code: 0, stderr: '' });
    expect(repaired.stdout).toContain(`repaired ${LAYER_DIGEST}\n`);
    await pull(server, image);
    expect(world.registry.requests).toHaveLength(before + 2);
    const metrics = await server.metrics();
    expect(metrics.get('larder_events_total{event="blob-quarantined"}')).toBe(2);
  });

  test('without a server does the same', async () => {
    await using world = await larderWorld();
    const { server, image } = await startPulled(world);
    await server.stop();
    await flipBit(world.pathOf(LAYER_DIGEST));
    const found = outcome(await world.run('verify', '--json'));
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout)).toMatchObject({
      isSound: false,
      totals: { hashed: 3, quarantined: 1 },
      findings: [{ kind: 'quarantined', digest: LAYER_DIGEST }],
    });
    expect(outcome(await world.run('verify', '--rate', '1MiB'))).toMatchObject({ code: 0 });

    await truncate(world.pathOf(image.config.digest), 0);
    const repaired = outcome(await world.run('verify', '--repair', '--json'));
    expect(repaired.code).toBe(0);
    expect(JSON.parse(repaired.stdout)).toMatchObject({ isSound: true, totals: { repaired: 2 } });
    for (const digest of [image.config.digest, LAYER_DIGEST]) {
      expect(digestOf(await readFile(world.pathOf(digest)))).toBe(digest);
    }
  });

  test('that could not repair says so', async () => {
    await using world = await larderWorld();
    const { server } = await startPulled(world);
    await server.stop();
    world.registry.deleteDigest('acme/app', LAYER_DIGEST);
    await flipBit(world.pathOf(LAYER_DIGEST));
    const { code, stdout } = outcome(await world.run('verify', '--repair'));
    expect(code).toBe(1);
    expect(stdout).toContain(`not repaired ${LAYER_DIGEST}: ${REGISTRY}: `);
    expect(stdout).toMatch(/something stored was not right, see above$/);
  });

  test('goes on in the background where the configuration says so', async () => {
    await using world = await larderWorld({ cache: { verifyEvery: '0s', verifyRate: '1GiB' } });
    const { server, image } = await startPulled(world);
    await server.stop();
    await flipBit(world.pathOf(LAYER_DIGEST));
    await using again = await world.serve();
    await until('the damage is found', async () => {
      const metrics = await again.metrics();
      return metrics.get('larder_events_total{event="blob-quarantined"}');
    });
    await pull(again, image);
  });
});

describe('the exit code', { timeout: TIMEOUT }, () => {
  test.each([
    [1, ['stats'], /^larder: there is no cache in .*\/cache \(cache\.directory\)$/],
    [1, ['rm', 'acme/nothing'], /^larder: there is no cache in /],
    [2, ['rm'], /missing required argument/],
    [2, ['import', '--as', 'No name', 'bundle.tar'], /'--as <name>' argument 'No name' is invalid/],
    [2, ['verify', '--rate', 'fast'], /Expected a size such as 20MiB, or unlimited/],
  ])('is %i of %j', async (code, args, message) => {
    await using world = await larderWorld();
    const exit = outcome(await world.run(...args));
    expect([exit.code, exit.stdout]).toEqual([code, '']);
    expect(exit.stderr).toMatch(message);
    await expect(stat(world.cacheDirectory)).rejects.toThrow('ENOENT');
  });

  test('is 2 of a configuration that cannot be used', async () => {
    await using world = await larderWorld({ lisen: 'x' });
    expect(outcome(await world.run('stats'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('lisen: unknown key'),
    });
  });

  test('is that of the worst of several references, and the others are done', async () => {
    await using world = await larderWorld();
    const { server } = await startPulled(world);
    await server.stop();
    const exit = outcome(await world.run('rm', 'acme/nothing', 'Acme', 'acme/app'));
    expect(exit.code).toBe(2);
    expect(exit.stdout).toMatch(/^acme\/app: removed 1 tag; 3 blobs/);
    expect(exit.stderr.split('\n')).toHaveLength(2);
  });
});
