import { randomBytes } from 'node:crypto';
import { open, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Larder } from '../../support/e2e/larder.ts';
import { until } from '../../support/e2e/until.ts';
import type { StoredImage } from '../../support/fake-registry.ts';
import { get } from '../../support/http-get.ts';
import { larderWorld, type LarderWorld } from '../../support/larder-world.ts';

const TIMEOUT = 60_000;

/** An image was pulled, and the server has stopped. */
async function pulledAndStopped(world: LarderWorld): Promise<StoredImage> {
  const layers = Array.from({ length: 20 }, () => randomBytes(1000));
  const image = world.registry.putImage('acme/app', '1', { layers });
  await using server = await world.serve();
  const base = new URL(server.url);
  await get(base, '/v2/acme/app/manifests/1');
  for (const { digest } of [image.config, ...image.layers]) await get(base, `/v2/acme/app/blobs/${digest}`);
  return image;
}

async function statusOf(server: Larder, path: string): Promise<number> {
  return (await get(new URL(server.url), path)).status;
}

/** @returns the status of the manifest by digest, and of every blob */
async function pullByDigest(server: Larder, image: StoredImage): Promise<readonly number[]> {
  const statuses = [await statusOf(server, `/v2/acme/app/manifests/${image.digest}`)];
  for (const { digest } of [image.config, ...image.layers]) {
    const { status, body } = await get(new URL(server.url), `/v2/acme/app/blobs/${digest}`);
    expect(status === 200 ? digestOf(body) : digest).toBe(digest);
    statuses.push(status);
  }
  return statuses;
}

async function reconciled(server: Larder, blobs: number): Promise<void> {
  await until('the index is built anew', async () => {
    const stored = (await server.metrics()).get('larder_store_blobs');
    return stored === blobs ? true : undefined;
  });
}

/** Overwrites the first page of a table, which is read when the table is. */
async function overwriteTable(path: string, name: string): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true });
  const page = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(name);
  database.close();
  await using handle = await open(path, 'r+');
  await handle.write(Buffer.alloc(4096, 0xa5), 0, 4096, 4096 * (Number(page?.['rootpage']) - 1));
}

const unique = (values: readonly number[]): readonly number[] => [...new Set(values)];

const DAMAGES: readonly (readonly [string, number, (path: string) => Promise<void>])[] = [
  ['garbage', 1, (path) => writeFile(path, 'not a database '.repeat(1000))],
  ['a part of itself', 1, async (path) => truncate(path, Math.floor((await stat(path)).size / 2))],
  ['nothing', 0, (path) => truncate(path, 0)],
];

describe('an index.db that is', { timeout: TIMEOUT }, () => {
  test.each(DAMAGES)('%s is built anew from the blobs', async (_, setAside, damage) => {
    await using world = await larderWorld();
    const image = await pulledAndStopped(world);
    await damage(join(world.cacheDirectory, 'index.db'));
    world.registry.down();
    await using server = await world.serve();
    expect((await world.files('index.db.damaged-')).length >= 1).toBe(setAside === 1);
    await reconciled(server, 22);
    // Without upstream: what can be told from the blobs.
    expect(unique(await pullByDigest(server, image))).toEqual([200]);
    expect(await statusOf(server, '/v2/acme/app/manifests/1')).toBeGreaterThanOrEqual(502);
    // With upstream: tags as they are asked for, and no byte of a blob again.
    world.registry.up();
    const before = world.registry.requests.length;
    await until('upstream is tried again', async () =>
      (await statusOf(server, '/v2/acme/app/manifests/1')) === 200 ? true : undefined,
    );
    expect(unique(await pullByDigest(server, image))).toEqual([200]);
    const asked = world.registry.requests.slice(before);
    expect(asked.filter(({ method, kind }) => method === 'GET' && kind === 'blob')).toEqual([]);
    expect((await world.run('ls', 'acme/app')).stdout).toContain(image.digest);
  });

  test('damaged in a page that is read later is built anew while it is served', async () => {
    await using world = await larderWorld();
    const image = await pulledAndStopped(world);
    await overwriteTable(join(world.cacheDirectory, 'index.db'), 'belongings');
    await using server = await world.serve();
    // A pull comes upon it, or what goes through the index in the background.
    expect(unique(await pullByDigest(server, image))).toEqual([200]);
    expect(await world.files('index.db.damaged-')).not.toEqual([]);
    await reconciled(server, 22);
    expect(unique(await pullByDigest(server, image))).toEqual([200]);
  });

  test('lost with credentials for an upstream is no way around them', async () => {
    await using world = await larderWorld({}, { username: 'me', password: 'secret' });
    const image = await pulledAndStopped(world);
    await writeFile(join(world.cacheDirectory, 'index.db'), 'not a database '.repeat(1000));
    world.registry.down();
    await using server = await world.serve();
    await reconciled(server, 22);
    for (const status of await pullByDigest(server, image)) expect(status).toBeGreaterThanOrEqual(502);
    world.registry.up();
    await until('upstream is tried again', async () =>
      (await statusOf(server, '/v2/acme/app/manifests/1')) === 200 ? true : undefined,
    );
    expect(unique(await pullByDigest(server, image))).toEqual([200]);
  });

  test('damaged is built anew by a command, too', async () => {
    await using world = await larderWorld();
    await pulledAndStopped(world);
    await writeFile(join(world.cacheDirectory, 'index.db'), 'not a database '.repeat(1000));
    const stats = await world.run('stats', '--json');
    expect(JSON.parse(stats.stdout)).toMatchObject({ blobs: 22 });
    expect((await readdir(world.cacheDirectory)).filter((name) => name.includes('damaged'))).not.toEqual([]);
  });
});
