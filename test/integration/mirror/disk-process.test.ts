import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask } from '../../support/e2e/http-client.ts';
import { larder, serveToItsEnd, type Larder } from '../../support/e2e/larder.ts';
import { attempt } from '../../support/e2e/process.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { until } from '../../support/e2e/until.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { canMount, temporaryFileSystem } from '../../support/temporary-file-system.ts';

const MiB = 1024 * 1024;
const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');

const isMountable = await canMount();
if (!isMountable) console.warn('skipped: a read-only device, since nothing may be mounted here');

function upstream(registry: FakeRegistry): object {
  return { 'registry.example.test': { url: registry.url.href } };
}

/** @returns whether manifest and blobs were right */
async function pull(mirror: Larder, tag: string, image: StoredImage): Promise<boolean> {
  const repository = `${mirror.url}/v2/registry.example.test/acme/app`;
  const answers = [await ask(`${repository}/manifests/${tag}`)];
  for (const { digest } of image.layers) answers.push(await ask(`${repository}/blobs/${digest}`));
  const digests = [image.digest, ...image.layers.map(({ digest }) => digest)];
  return answers.every(({ complete, digest }, i) => complete && digest === digests[i]);
}

async function readiness(mirror: Larder): Promise<unknown> {
  const { status, body } = await ask(`${mirror.url}/readyz`);
  return { status, ...(JSON.parse(body.toString()) as object) };
}

describe('the program', () => {
  test.skipIf(!isMountable)('starts on a read-only device, says so, and serves', async () => {
    await using device = await temporaryFileSystem('size=4m,ro');
    await using registry = await startFakeRegistry();
    const image = registry.putImage('acme/app', 'latest', { layers: [randomBytes(MiB)] });
    await using mirror = await larder({ upstreams: upstream(registry) }, { cacheDirectory: device.path });
    for (let i = 0; i < 2; i += 1) expect(await pull(mirror, 'latest', image)).toBe(true);
    expect(await readiness(mirror)).toMatchObject({
      status: 'ready',
      disk: { state: 'failing', reason: expect.stringContaining('EROFS') },
    });
    expect((await mirror.metrics()).get('larder_disk_failing')).toBe(1);
    expect(registry.count({ kind: 'blob', method: 'GET' })).toBe(2);
    const { code, stdout } = await mirror.stop();
    expect(code).toBe(0);
    const lines = stdout.split('\n').filter((line) => line.includes('cannot be written to'));
    expect(lines).toEqual([expect.stringMatching(/"level":50.*read-only file system.*EROFS/)]);
  });

  test('does not start where the directory is no directory', async () => {
    await using place = await temporaryDirectory('wrong');
    await writeFile(join(place.path, 'file'), '');
    const { code, stderr } = await serveToItsEnd(`cache: { directory: ${place.path}/file/cache }\n`);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^larder: cannot use .*not a directory/)]);
  });

  test('does not start where nobody lets it write', async () => {
    await using place = await temporaryDirectory('forbidden');
    const directory = join(place.path, 'cache');
    const config = join(place.path, 'config.yaml');
    await mkdir(directory);
    await writeFile(config, `cache: { directory: ${directory} }\n`);
    await chmod(place.path, 0o755);
    await chmod(directory, 0o555);
    const serve = [process.execPath, MAIN, 'serve', '--config', config];
    // Root may write everywhere.
    const unprivileged =
      process.getuid?.() === 0 ? ['setpriv', '--reuid', '65534', '--clear-groups', ...serve] : serve;
    const [command = '', ...args] = unprivileged;
    const { code, stderr } = await attempt(command, args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^larder: cannot use .*no permission/)]);
  });

  test('goes on, and ends in order, where the directory vanishes', async () => {
    await using place = await temporaryDirectory('vanishing');
    const cacheDirectory = join(place.path, 'cache');
    await using registry = await startFakeRegistry();
    const [warm, cold] = ['warm', 'cold'].map((tag) =>
      registry.putImage('acme/app', tag, { config: { tag }, layers: [randomBytes(MiB)] }),
    ) as [StoredImage, StoredImage];
    await using mirror = await larder({ upstreams: upstream(registry) }, { cacheDirectory });
    expect(await pull(mirror, 'warm', warm)).toBe(true);
    await rm(cacheDirectory, { recursive: true });
    for (const [tag, image] of [
      ['warm', warm],
      ['cold', cold],
      ['cold', cold],
    ] as const) {
      expect(await pull(mirror, tag, image)).toBe(true);
    }
    expect(await readiness(mirror)).toMatchObject({ disk: { state: 'failing' } });
    expect((await mirror.stop()).code).toBe(0);
  });

  test('keeps its cap, tells what it does, and keeps a smaller one from its next start on', async () => {
    await using place = await temporaryDirectory('capped');
    const cacheDirectory = join(place.path, 'cache');
    await using registry = await startFakeRegistry();
    const images = Array.from({ length: 12 }, (_, i) =>
      registry.putImage('acme/app', `${i}`, { config: { i }, layers: [randomBytes(MiB)] }),
    );
    const config = (maxSize: string) => ({
      cache: { maxSize, minFree: 0 },
      upstreams: upstream(registry),
    });
    {
      await using mirror = await larder(config('8MiB'), { cacheDirectory });
      for (const [i, image] of images.entries()) expect(await pull(mirror, `${i}`, image)).toBe(true);
      await until('the store fits', async () =>
        (await storedBytes(cacheDirectory)) <= 8 * MiB ? true : undefined,
      );
      const metrics = await mirror.metrics();
      expect(metrics.get('larder_store_limit_bytes')).toBe(8 * MiB);
      expect(metrics.get('larder_evicted_bytes_total')).toBeGreaterThan(4 * MiB);
      expect(metrics.get('larder_disk_free_bytes')).toBeGreaterThan(0);
      expect(metrics.get('larder_disk_failing')).toBe(0);
      expect(await readiness(mirror)).toMatchObject({ disk: { state: 'ok' } });
    }
    await using mirror = await larder(config('4MiB'), { cacheDirectory });
    await until('the store fits', async () =>
      (await storedBytes(cacheDirectory)) <= 4 * MiB ? true : undefined,
    );
    const last = images[11] as StoredImage;
    expect(await pull(mirror, '11', last)).toBe(true);
    expect(registry.count({ digest: last.digest, method: 'GET' })).toBe(1);
  });
});

async function storedBytes(directory: string): Promise<number> {
  const folder = join(directory, 'blobs/sha256');
  const names = await readdir(folder);
  const sizes = names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
