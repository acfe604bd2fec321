import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { get } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { stallAfter } from '../../support/scripted-reply.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes of the files in the cache directory that are not the index's. */
function bytesOnDisk({ directory }: MirrorFixture): number {
  let bytes = 0;
  for (const folder of ['ingest', 'blobs/sha256']) {
    const path = join(directory, folder);
    for (const name of readdirSync(path)) {
      bytes += statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return bytes;
}

function bytesInFlight({ store }: MirrorFixture): number {
  return [...store.ingests].reduce((sum, { size = 0, offset }) => sum + Math.max(size, offset), 0);
}

/** Looks at the disk again and again, and whenever something was stored. @returns a function that ends it and tells the worst. */
function watchDisk(mirror: MirrorFixture, limit: number): () => number {
  let worst = -Infinity;
  const look = (): void => {
    worst = Math.max(worst, bytesOnDisk(mirror) - limit - bytesInFlight(mirror));
  };
  const unsubscribe = mirror.store.subscribe(look);
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    unsubscribe();
    return worst;
  };
}

function putImage(registry: FakeRegistry, tag: string, layerBytes: number): StoredImage {
  return registry.putImage('acme/app', tag, {
    config: { tag },
    layers: [randomBytes(layerBytes), randomBytes(layerBytes)],
  });
}

/** As a client does: the manifest by tag, then config and layers. @returns whether everything was right */
async function pull(mirror: MirrorFixture, tag: string, image: StoredImage): Promise<boolean> {
  const manifest = await mirror.get(`/v2/acme/app/manifests/${tag}`);
  const parts = [image.config, ...image.layers].map(async ({ digest }) => {
    const { body } = await mirror.get(`/v2/acme/app/blobs/${digest}`);
    return digestOf(body) === digest;
  });
  return digestOf(manifest.body) === image.digest && (await Promise.all(parts)).every(Boolean);
}

function upstreamGets(registry: FakeRegistry, { digest, config, layers }: StoredImage): number[] {
  const digests = [digest, config.digest, ...layers.map((layer) => layer.digest)];
  return digests.map((digest) => registry.count({ method: 'GET', digest }));
}

test('a working set ten times the cap: the disk holds the cap and the fills in flight, and the hot image stays', async () => {
  await using registry = await startFakeRegistry();
  const maxSize = 2 * MiB;
  await using mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry, tags: { isImmutable: () => true } }],
    marks: { maxSize },
    manifestMemoryBytes: 1,
    blobMemoryBytes: 0,
  });
  const layerBytes = 64 * KiB;
  const hot = putImage(registry, 'hot', layerBytes);
  const cold = Array.from({ length: 160 }, (_, i) => putImage(registry, `cold-${i}`, layerBytes));
  const worst = watchDisk(mirror, maxSize);
  const queue = [...cold.entries()];
  const pulls: boolean[] = [];
  const client = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [i, image] = next;
      mirror.clock.advance(1_000);
      pulls.push(await pull(mirror, `cold-${i}`, image));
      if (i % 5 === 0) pulls.push(await pull(mirror, 'hot', hot));
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  await mirror.evictor.idle();
  expect(pulls).not.toContain(false);
  // Between its rename and its row a blob is neither in flight nor known to eviction: one for each client.
  expect(worst()).toBeLessThanOrEqual(4 * layerBytes);
  expect(bytesOnDisk(mirror)).toBeGreaterThan(0.85 * maxSize);
  expect(upstreamGets(registry, hot)).toEqual([1, 1, 1, 1]);
  expect((await mirror.index.stats()).blobs).toBe((await mirror.files('blobs/sha256')).length);
}, 100_000);

/** A mirror that holds two blobs of 16 MiB, and the blobs to fill it with. */
async function startSmall(): Promise<{
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly blobs: readonly { readonly path: string; readonly digest: Digest; readonly content: Buffer }[];
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry }],
    marks: { maxSize: 40 * MiB },
  });
  const blobs = Array.from({ length: 4 }, () => {
    const content = randomBytes(16 * MiB);
    const { digest } = registry.putBlob('acme/app', content);
    return { path: `/v2/acme/app/blobs/${digest}`, digest, content };
  });
  return {
    registry,
    mirror,
    blobs,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

test('what a slow client reads stays until it has all of it', async () => {
  await using world = await startSmall();
  const { mirror, blobs } = world;
  const [slow, ...others] = blobs;
  if (slow === undefined) throw new Error('there are four');
  await mirror.get(slow.path);
  const reading = await mirror.open(slow.path);
  const [first] = (await once(reading, 'data')) as [Buffer];
  reading.pause();
  for (const { path } of others) {
    mirror.clock.advance(60_000);
    await mirror.get(path);
    await mirror.evictor.idle();
  }
  expect(await mirror.store.stat(slow.digest)).toBeDefined();
  expect((await mirror.index.stats()).bytes).toBeLessThan(40 * MiB);
  const rest: Buffer[] = [first];
  for await (const chunk of reading) rest.push(chunk as Buffer);
  expect(digestOf(Buffer.concat(rest))).toBe(slow.digest);
  await expect.poll(() => mirror.store.isHeld(slow.digest)).toBe(false);
  mirror.clock.advance(60_000);
  await mirror.get(others[0]?.path ?? '');
  await mirror.evictor.idle();
  expect(await mirror.store.stat(slow.digest)).toBeUndefined();
  expect((await mirror.get(slow.path)).body.equals(slow.content)).toBe(true);
});

test('what is followed stays, however old the fill is', async () => {
  await using world = await startSmall();
  const { registry, mirror, blobs } = world;
  const [slow, ...others] = blobs;
  if (slow === undefined) throw new Error('there are four');
  const stalled = stallAfter(MiB);
  registry.fault({ digest: slow.digest }, stalled);
  const following = mirror.get(slow.path);
  await stalled.reached;
  for (const { path } of others) {
    mirror.clock.advance(1_000);
    await mirror.get(path);
    await mirror.evictor.idle();
  }
  stalled.release();
  expect((await following).body.equals(slow.content)).toBe(true);
  expect(await mirror.store.stat(slow.digest)).toBeDefined();
});

describe('an evicted image', () => {
  test('comes from upstream again, by tag and by digest', async () => {
    await using world = await startSmall();
    const { registry, mirror } = world;
    const image = putImage(registry, 'latest', MiB);
    expect(await pull(mirror, 'latest', image)).toBe(true);
    await evictAll(mirror);
    expect(await mirror.files('blobs/sha256')).toEqual([]);
    expect(await pull(mirror, 'latest', image)).toBe(true);
    expect(upstreamGets(registry, image).slice(1)).toEqual([2, 2, 2]);
    expect(await mirror.files('blobs/sha256')).not.toEqual([]);
  });

  test('has its small blobs no longer in memory: GET and HEAD say the same, and they are stored again', async () => {
    await using world = await startSmall();
    const { registry, mirror } = world;
    const { digest } = registry.putBlob('acme/app', randomBytes(1000));
    const path = `/v2/acme/app/blobs/${digest}`;
    for (let times = 0; times < 2; times++) await mirror.get(path);
    await evictAll(mirror);
    const blobs = (method: string): number => registry.count({ kind: 'blob', method });
    expect([(await mirror.get(path, { method: 'HEAD' })).status, blobs('HEAD'), blobs('GET')]).toEqual([
      200, 1, 1,
    ]);
    expect([(await mirror.get(path)).status, blobs('HEAD'), blobs('GET')]).toEqual([200, 1, 2]);
    expect(await mirror.store.stat(digest)).toBeDefined();
  });

  test('is served by its manifest in memory meanwhile', async () => {
    await using world = await startSmall();
    const { registry, mirror } = world;
    const image = putImage(registry, 'latest', MiB);
    await pull(mirror, 'latest', image);
    await evictAll(mirror);
    const manifest = await mirror.get('/v2/acme/app/manifests/latest');
    expect(digestOf(manifest.body)).toBe(image.digest);
    expect(registry.count({ kind: 'manifest', method: 'GET' })).toBe(1);
  });

  test('lets the digests of its repository be pulled no less than before', async () => {
    await using world = await startSmall();
    const { registry, mirror } = world;
    const image = putImage(registry, 'latest', MiB);
    await pull(mirror, 'latest', image);
    await evictAll(mirror);
    const [layer] = image.layers;
    const answer = await mirror.get(`/v2/acme/app/blobs/${layer?.digest}`);
    expect(answer.status).toBe(200);
    expect(registry.count({ kind: 'blob', method: 'HEAD' })).toBe(0);
  });
});

/** Makes room for as much as there is. */
async function evictAll(mirror: MirrorFixture): Promise<void> {
  await mirror.mirror.flushUses();
  for (;;) {
    const { bytes } = await mirror.index.stats();
    if (bytes === 0) return;
    mirror.evictor.makeRoom(bytes);
    await mirror.evictor.idle();
  }
}

test.each(['HEAD', 'GET'] as const)('a %s of the tag counts as a use of the whole image', async (method) => {
  await using world = await startSmall();
  const { registry, mirror, blobs } = world;
  const image = putImage(registry, 'latest', MiB);
  await pull(mirror, 'latest', image);
  for (const { path } of blobs) {
    // Beyond the tag's time to live: the answer is upstream's own.
    mirror.clock.advance(10 * 60_000);
    const asked = { method, headers: { accept: image.mediaType } };
    await get(mirror.url, '/v2/acme/app/manifests/latest', asked);
    await mirror.get(path);
    await mirror.evictor.idle();
  }
  expect(upstreamGets(registry, image).slice(1)).toEqual([1, 1, 1]);
  expect(await pull(mirror, 'latest', image)).toBe(true);
  expect(upstreamGets(registry, image)).toEqual([1, 1, 1, 1]);
});
