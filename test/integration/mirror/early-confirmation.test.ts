import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { instead, neverRespond, registryError, stallAfter, status } from '../../support/scripted-reply.ts';

const BASE = randomBytes(20_000);
const PACE_MS = 200;
const AWAY_MS = 60_000;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  mirror: MirrorFixture;
  restart(): Promise<void>;
}

/** The base is cached through team/first, with its image. */
async function start(checksReferences = false): Promise<World> {
  const registry = await startFakeRegistry();
  const directory = await mkdtemp(join(tmpdir(), 'larder-test-'));
  const options = { upstreams: [{ name: 'registry.test', registry, checksReferences }], directory };
  const first = registry.putImage('team/first', '1', { layers: [BASE], config: { first: true } });
  const world: World = {
    registry,
    mirror: await startMirror(options),
    async restart() {
      await world.mirror[Symbol.asyncDispose]();
      world.mirror = await startMirror(options);
    },
    async [Symbol.asyncDispose]() {
      await world.mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
  await pull(world, 'team/first', [first.config.digest, digestOf(BASE)]);
  return world;
}

/** By tag, and of its blobs the ones that are named. */
async function pull({ mirror }: World, repository: string, blobs: readonly string[]): Promise<void> {
  await mirror.get(`/v2/${repository}/manifests/1`);
  for (const digest of blobs) await mirror.get(`/v2/${repository}/blobs/${digest}`);
}

/** Another image on the base, whose client has that already: it asks for all but the base. */
async function pullSharing(world: World, name: string): Promise<string> {
  const image = world.registry.putImage(`team/${name}`, '1', { layers: [BASE], config: { name } });
  await pull(world, `team/${name}`, [image.config.digest]);
  return `/v2/team/${name}/blobs/${digestOf(BASE)}`;
}

function questions({ registry }: World): number {
  return registry.requests.filter(({ repository, digest }) => {
    return repository !== 'team/first' && digest === digestOf(BASE);
  }).length;
}

function waiting({ mirror }: World): Promise<number> {
  return mirror.index.waitingClaims('registry.test', 1000);
}

async function waitUntilNothingWaits(world: World, stepMs = PACE_MS): Promise<void> {
  await expect
    .poll(async () => {
      world.mirror.clock.advance(stepMs);
      return waiting(world);
    })
    .toBe(0);
}

describe('what is claimed and here already', () => {
  test('is confirmed in the background, and whole when upstream goes away', async () => {
    await using world = await start();
    const path = await pullSharing(world, 'app');
    expect([await waiting(world), questions(world)]).toEqual([1, 0]);
    await waitUntilNothingWaits(world);
    expect(questions(world)).toBe(1);
    world.registry.down();
    const answer = await world.mirror.get(path);
    expect([answer.status, answer.headers['cache-status']]).toEqual([200, 'larder; hit']);
    expect(answer.body.equals(BASE)).toBe(true);
  });

  test('is not asked for again where a client has', async () => {
    await using world = await start();
    await world.mirror.get(await pullSharing(world, 'app'));
    expect([await waiting(world), questions(world)]).toEqual([0, 1]);
    world.mirror.clock.advance(10 * PACE_MS);
    expect(questions(world)).toBe(1);
  });

  test('is confirmed after a restart', async () => {
    await using world = await start();
    const path = await pullSharing(world, 'app');
    await world.restart();
    expect(await waiting(world)).toBe(1);
    await waitUntilNothingWaits(world);
    world.registry.down();
    expect((await world.mirror.get(path)).status).toBe(200);
  });

  test('is confirmed where its bytes come after the claim, through another repository', async () => {
    await using world = await start();
    const late = randomBytes(10_000);
    world.registry.putImage('team/app', '1', { layers: [late], config: { app: true } });
    await pull(world, 'team/app', []);
    world.registry.putBlob('team/first', late);
    await world.mirror.get(`/v2/team/first/blobs/${digestOf(late)}`);
    await waitUntilNothingWaits(world);
    world.registry.down();
    expect((await world.mirror.get(`/v2/team/app/blobs/${digestOf(late)}`)).body.equals(late)).toBe(true);
  });

  test('is confirmed where its bytes came partly through another repository', async () => {
    await using world = await start();
    const { registry, mirror } = world;
    const layer = randomBytes(100_000);
    const blob = `blobs/${digestOf(layer)}`;
    for (const name of ['app', 'other']) {
      registry.putImage(`team/${name}`, '1', { layers: [layer], config: { name } });
      await pull(world, `team/${name}`, []);
    }
    const stalled = stallAfter(50_000);
    registry.fault({ kind: 'blob', method: 'GET', repository: 'team/app', times: 1 }, stalled);
    const first = mirror.get(`/v2/team/app/${blob}`);
    await stalled.reached;
    await expect.poll(() => mirror.fill(digestOf(layer))?.offset).toBe(50_000);
    const second = mirror.get(`/v2/team/other/${blob}`);
    await expect.poll(() => mirror.fill(digestOf(layer))?.followers).toBe(2);
    mirror.clock.advance(5_000);
    for (const { body } of await Promise.all([first, second])) expect(body.equals(layer)).toBe(true);
    stalled.release();
    expect(await waiting(world)).toBe(1);
    await waitUntilNothingWaits(world);
    registry.down();
    expect((await mirror.get(`/v2/team/app/${blob}`)).body.equals(layer)).toBe(true);
  });

  test('leads on through an index to its images and their layers', async () => {
    await using world = await start();
    const image = world.registry.putImage('team/app', undefined, { layers: [BASE], config: { first: true } });
    world.registry.putIndex('team/app', '1', [image.descriptor]);
    await pull(world, 'team/app', []);
    await waitUntilNothingWaits(world);
    world.registry.down();
    for (const path of [`manifests/${image.digest}`, `blobs/${digestOf(BASE)}`]) {
      expect([path, (await world.mirror.get(`/v2/team/app/${path}`)).status]).toEqual([path, 200]);
    }
  });

  test('is asked for five times a second, the newest manifest first', async () => {
    await using world = await start();
    const names = Array.from({ length: 8 }, (_, i) => `app${i}`);
    for (const name of names) await pullSharing(world, name);
    for (let asked = 1; asked <= names.length; asked += 1) {
      world.mirror.clock.advance(PACE_MS - 1);
      expect(questions(world)).toBe(asked - 1);
      world.mirror.clock.advance(1);
      await expect.poll(() => waiting(world)).toBe(names.length - asked);
      await expect.poll(() => world.mirror.clock.pending).toBeGreaterThan(0);
    }
    const asked = world.registry.requests.filter(({ method, digest }) => {
      return method === 'HEAD' && digest === digestOf(BASE);
    });
    expect(asked.map(({ repository }) => repository)).toEqual(
      names.map((name) => `team/${name}`).toReversed(),
    );
  });

  test('that the registry denies has had its turn', async () => {
    await using world = await start();
    const path = await pullSharing(world, 'app');
    world.registry.fault(
      { kind: 'blob', repository: 'team/app' },
      instead(registryError(404, 'BLOB_UNKNOWN')),
    );
    await waitUntilNothingWaits(world);
    const asked = questions(world);
    world.mirror.clock.advance(2 * AWAY_MS);
    expect(questions(world)).toBe(asked);
    world.registry.down();
    expect((await world.mirror.get(path)).status).toBe(502);
  });

  test('is asked for again later where upstream cannot be asked', async () => {
    await using world = await start();
    await pullSharing(world, 'app');
    const end = world.registry.fault({ kind: 'blob', repository: 'team/app' }, instead(status(429)));
    world.mirror.clock.advance(PACE_MS);
    await expect.poll(() => questions(world)).toBe(1);
    end();
    world.mirror.clock.advance(10 * PACE_MS);
    expect([questions(world), await waiting(world)]).toEqual([1, 1]);
    await waitUntilNothingWaits(world, AWAY_MS);
  });

  test('does not hold up the end where upstream hangs', async () => {
    await using world = await start();
    await pullSharing(world, 'app');
    const hanging = neverRespond();
    world.registry.fault({ kind: 'blob', repository: 'team/app' }, hanging);
    world.mirror.clock.advance(PACE_MS);
    await hanging.reached;
    // The clock stands still, so that no timeout ends the question.
    await world.mirror.mirror.close();
    hanging.release();
    expect(await waiting(world)).toBe(1);
  });

  test('of a repository that fails does not hold up the others', async () => {
    await using world = await start();
    const path = await pullSharing(world, 'well');
    await pullSharing(world, 'broken');
    world.registry.fault({ kind: 'blob', repository: 'team/broken' }, instead(status(500)));
    const isConfirmed = (): Promise<boolean> =>
      world.mirror.index.belongs(
        { registry: 'registry.test', repository: 'team/well' as never },
        digestOf(BASE),
      );
    await expect
      .poll(async () => {
        world.mirror.clock.advance(PACE_MS);
        return isConfirmed();
      })
      .toBe(true);
    world.registry.down();
    expect((await world.mirror.get(path)).status).toBe(200);
    expect(await waiting(world)).toBe(1);
  });
});

describe('a registry that is known to check references', () => {
  test('is believed about plain layers that it has given, without a question', async () => {
    await using world = await start(true);
    const path = await pullSharing(world, 'app');
    expect(await waiting(world)).toBe(0);
    const answer = await world.mirror.get(path);
    expect([answer.headers['cache-status'], questions(world)]).toEqual(['larder; hit', 0]);
  });

  test.each([
    ['that may be elsewhere', { urls: ['https://cdn.example/base'] }],
    ['that is not distributable', { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar' }],
  ])('is asked for a layer %s', async (_, odd) => {
    await using world = await start(true);
    const config = world.registry.putBlob('team/app', Buffer.from('{}'));
    const layer = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: digestOf(BASE),
      size: BASE.length,
    };
    const document = {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config,
      layers: [{ ...layer, ...odd }],
    };
    world.registry.putManifest('team/app', '1', document);
    await pull(world, 'team/app', []);
    expect((await world.mirror.get(`/v2/team/app/blobs/${digestOf(BASE)}`)).status).toBe(404);
  });
});
