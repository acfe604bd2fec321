import { randomBytes } from 'node:crypto';
import { readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import type { BlobStore } from '../../../src/store/blob-store.ts';
import { StoreError } from '../../../src/store/error.ts';
import type { VerifyProgress, VerifyReport } from '../../../src/upkeep/verify.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';

const LAYER = randomBytes(3 * 1024 * 1024 + 17);

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly image: StoredImage;
  /** Its layer. */
  readonly layer: Digest;
}

/** An image that was pulled. */
async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const image = registry.putImage('acme/app', '1', { layers: [LAYER] });
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }], ...options });
  await mirror.get('/v2/acme/app/manifests/1');
  for (const { digest } of [image.config, ...image.layers]) await mirror.get(`/v2/acme/app/blobs/${digest}`);
  return {
    registry,
    mirror,
    image,
    layer: digestOf(LAYER),
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Changes one bit, and leaves size and times as they were: as a disk does. */
async function flipBit(path: string, position: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await utimes(path, 1, 1);
}

interface Verified {
  readonly report: VerifyReport;
  readonly findings: readonly VerifyProgress[];
}

async function verify({ mirror }: World, repair = false): Promise<Verified> {
  const findings: VerifyProgress[] = [];
  const onProgress = (progress: VerifyProgress): void => {
    if (progress.kind !== 'step') findings.push(progress);
  };
  const { signal } = new AbortController();
  const report = await mirror.upkeep.verify({ repair, onProgress, signal });
  return { report, findings };
}

/** Everything can be pulled, and is right; @returns how many requests upstream saw for that. */
async function pullAll({ mirror, registry, image }: World): Promise<number> {
  const before = registry.count();
  const manifest = await mirror.get('/v2/acme/app/manifests/1');
  expect(manifest.body.equals(image.bytes)).toBe(true);
  for (const { digest } of [image.config, ...image.layers]) {
    const { body, complete } = await mirror.get(`/v2/acme/app/blobs/${digest}`);
    expect([digestOf(body), complete]).toEqual([digest, true]);
  }
  return registry.count() - before;
}

const quarantined = ({ mirror }: World): readonly string[] =>
  mirror.events.flatMap((event) => (event.kind === 'blob-quarantined' ? [event.digest] : []));

describe('verify', () => {
  test('finds a sound store sound, and changes nothing', async () => {
    await using world = await start();
    const { report, findings } = await verify(world);
    expect(report).toMatchObject({ isSound: true, totals: { hashed: 3, adopted: 0, removed: 0 } });
    expect(report.steps.map(({ step }) => step)).toEqual([
      'remove rows without bytes',
      'adopt bytes without rows',
      'hash blobs',
    ]);
    expect(findings).toEqual([]);
    expect(await pullAll(world)).toBe(0);
    expect(world.mirror.events).toContainEqual(
      expect.objectContaining({ kind: 'maintenance-ended', task: 'verify' }),
    );
  });

  test.each([
    ['a flipped bit', (path: string) => flipBit(path, 1_000_000)],
    ['a flipped last bit', (path: string) => flipBit(path, LAYER.length - 1)],
    ['a lost tail', (path: string) => truncate(path, 1000)],
    ['lost bytes', (path: string) => truncate(path, 0)],
  ])('finds %s in a layer, and sets it aside; the next pull heals it', async (_, damage) => {
    await using world = await start();
    await damage(world.mirror.pathOf(world.layer));
    const { report, findings } = await verify(world);
    expect(report).toMatchObject({ isSound: false, totals: { quarantined: 1 } });
    expect(findings).toEqual([expect.objectContaining({ kind: 'quarantined', digest: world.layer })]);
    expect(quarantined(world)).toEqual([world.layer]);
    expect(await world.mirror.files('quarantine')).toHaveLength(1);
    expect(await world.mirror.index.blob(world.layer)).toBeUndefined();
    expect(await pullAll(world)).toBe(1);
    expect((await verify(world)).report).toMatchObject({ isSound: true, totals: { hashed: 3 } });
    expect(await pullAll(world)).toBe(0);
  });

  test('with repair fetches also what an earlier run has set aside', async () => {
    await using world = await start({ manifestMemoryBytes: 1 });
    const { mirror, registry, layer, image } = world;
    await flipBit(mirror.pathOf(layer), 1000);
    await flipBit(mirror.pathOf(image.digest), 30);
    // What no repository has, nobody misses.
    const stray = digestOf('stray');
    await using ingest = await mirror.store.ingest({ digest: stray });
    await expect(ingest.commit()).rejects.toThrow('digest');
    expect((await verify(world)).report).toMatchObject({ isSound: false, totals: { quarantined: 2 } });
    const { report, findings } = await verify(world, true);
    expect(report).toMatchObject({ isSound: true, totals: { repaired: 2, unrepaired: 0 } });
    expect(new Set(findings)).toEqual(
      new Set([layer, image.digest].map((digest) => ({ kind: 'repaired', digest }))),
    );
    expect(await pullAll(world)).toBe(0);
    const before = registry.count();
    expect((await verify(world, true)).report).toMatchObject({ isSound: true, totals: { repaired: 0 } });
    expect(registry.count()).toBe(before);
  });

  test('with repair is not sound as long as something cannot be fetched', async () => {
    await using world = await start();
    await flipBit(world.mirror.pathOf(world.layer), 1000);
    await verify(world);
    world.registry.deleteDigest('acme/app', world.layer);
    for (let times = 0; times < 2; times++) {
      const { report, findings } = await verify(world, true);
      expect(report).toMatchObject({ isSound: false, totals: { repaired: 0, unrepaired: 1 } });
      expect(findings).toEqual([expect.objectContaining({ kind: 'not-repaired', digest: world.layer })]);
    }
  });

  test('finds a manifest that was changed, and stores again what memory has of it', async () => {
    await using world = await start();
    await flipBit(world.mirror.pathOf(world.image.digest), 30);
    expect((await verify(world)).report).toMatchObject({ isSound: false, totals: { quarantined: 1 } });
    expect((await verify(world)).report).toMatchObject({ isSound: true, totals: { hashed: 3 } });
    expect(await pullAll(world)).toBe(0);
  });

  test('repairs at once what it finds, and nobody else asks upstream for it', async () => {
    await using world = await start();
    await flipBit(world.mirror.pathOf(world.layer), 7);
    await truncate(world.mirror.pathOf(world.image.config.digest), 1);
    await flipBit(world.mirror.pathOf(world.image.digest), 7);
    const { report, findings } = await verify(world, true);
    expect(report).toMatchObject({ isSound: true, totals: { quarantined: 3, repaired: 3 } });
    expect(findings.filter(({ kind }) => kind === 'repaired')).toHaveLength(3);
    expect(await world.mirror.files('blobs/sha256')).toHaveLength(3);
    expect(await pullAll(world)).toBe(0);
    expect((await verify(world)).report.totals).toMatchObject({ hashed: 3, quarantined: 0 });
  });

  test('says why it cannot repair', async () => {
    await using world = await start();
    await flipBit(world.mirror.pathOf(world.layer), 7);
    world.registry.down();
    const { report, findings } = await verify(world, true);
    expect(report).toMatchObject({ isSound: false, totals: { quarantined: 1, repaired: 0 } });
    expect(findings.at(-1)).toEqual({
      kind: 'not-repaired',
      digest: world.layer,
      reason: expect.stringMatching(/^registry\.test: /),
    });
    world.registry.up();
    world.mirror.clock.advance(60_000);
    expect(await pullAll(world)).toBe(1);
  });

  test('does not repair by wrong bytes', async () => {
    await using world = await start();
    await flipBit(world.mirror.pathOf(world.layer), 7);
    world.registry.deleteDigest('acme/app', world.layer);
    const { findings } = await verify(world, true);
    expect(findings.at(-1)).toMatchObject({ kind: 'not-repaired', digest: world.layer });
    expect(await world.mirror.store.stat(world.layer)).toBeUndefined();
  });

  test('sets aside bytes that the disk cannot give back', async () => {
    const layer = digestOf(LAYER);
    let isBroken = false;
    await using world = await start({ wrapStore: (store) => failingReads(store, layer, () => isBroken) });
    isBroken = true;
    const { report, findings } = await verify(world);
    expect(report).toMatchObject({ isSound: false, totals: { quarantined: 1 } });
    expect(findings).toEqual([
      { kind: 'quarantined', digest: layer, reason: expect.stringContaining('EIO') },
    ]);
    isBroken = false;
    expect(await pullAll(world)).toBe(1);
  });

  test('tells of bytes that cannot be read for another reason, and leaves them', async () => {
    const layer = digestOf(LAYER);
    let isBroken = false;
    await using world = await start({
      wrapStore: (store) => failingReads(store, layer, () => isBroken, 'EMFILE'),
    });
    isBroken = true;
    const { report, findings } = await verify(world, true);
    expect(report).toMatchObject({ isSound: false, totals: { failed: 1, quarantined: 0 } });
    expect(findings).toEqual([{ kind: 'failed', digest: layer, reason: expect.stringContaining('EMFILE') }]);
    isBroken = false;
    expect(await pullAll(world)).toBe(0);
  });

  test('adopts bytes without rows and removes rows without bytes', async () => {
    await using world = await start();
    const stray = Buffer.from('nobody knows me');
    await writeFile(world.mirror.pathOf(digestOf(stray)), stray);
    await world.mirror.deleteFile(world.layer);
    const { report } = await verify(world);
    expect(report).toMatchObject({ isSound: true, totals: { adopted: 1, removed: 1, hashed: 3 } });
    expect(await world.mirror.index.isRecovered(digestOf(stray))).toBe(true);
    expect(await world.mirror.index.blob(world.layer)).toBeUndefined();
    expect(await world.mirror.index.stats()).toMatchObject({ blobs: 3 });
    expect(await pullAll(world)).toBe(1);
  });

  test('finds out bytes that were put there under a wrong name', async () => {
    await using world = await start();
    await writeFile(world.mirror.pathOf(digestOf('something else')), 'planted');
    const { findings } = await verify(world);
    expect(findings).toEqual([
      expect.objectContaining({ kind: 'quarantined', digest: digestOf('something else') }),
    ]);
  });

  test('ends when it is told to', async () => {
    await using world = await start();
    const ending = new AbortController();
    const verifying = world.mirror.upkeep.verify({
      repair: false,
      bytesPerSecond: 1024,
      signal: ending.signal,
    });
    ending.abort(new Error('enough'));
    await expect(verifying).rejects.toThrow('enough');
  });
});

describe('while it is served', () => {
  test('a blob that has lost bytes is not served short: it comes from upstream again', async () => {
    await using world = await start();
    await truncate(world.mirror.pathOf(world.layer), 1000);
    const { status, headers } = await world.mirror.head(`/v2/acme/app/blobs/${world.layer}`);
    expect([status, headers['content-length']]).toEqual([200, String(LAYER.length)]);
    expect(quarantined(world)).toEqual([world.layer]);
    expect(await pullAll(world)).toBe(1);
    await truncate(world.mirror.pathOf(world.layer), 1000);
    expect(await pullAll(world)).toBe(1);
    expect(quarantined(world)).toEqual([world.layer, world.layer]);
    expect(await pullAll(world)).toBe(0);
  });

  test('a manifest that was changed comes from upstream again, and is set aside', async () => {
    await using world = await start({ manifestMemoryBytes: 1 });
    await flipBit(world.mirror.pathOf(world.image.digest), 20);
    expect(await pullAll(world)).toBe(1);
    expect(quarantined(world)).toEqual([world.image.digest]);
    expect(await pullAll(world)).toBe(0);
  });

  test('a manifest that was changed says no less for what a pin exempts', async () => {
    await using world = await start({ manifestMemoryBytes: 1 });
    const { index } = world.mirror;
    const { digest } = world.image;
    await index.pin({ kind: 'digest', digest }, 1);
    const exempt = await index.closure(digest);
    await flipBit(world.mirror.pathOf(digest), 20);
    expect((await verify(world)).report).toMatchObject({ totals: { quarantined: 1 } });
    expect(exempt).toContain(world.layer);
    expect(await index.closure(digest)).toEqual(exempt);
    expect(await index.blob(digest)).toBeUndefined();
  });

  test('a blob that cannot be read goes on from upstream, and is set aside', async () => {
    const layer = digestOf(LAYER);
    let isBroken = false;
    await using world = await start({ wrapStore: (store) => failingReads(store, layer, () => isBroken) });
    isBroken = true;
    const answer = await world.mirror.get(`/v2/acme/app/blobs/${layer}`);
    expect([answer.status, answer.complete, answer.body.equals(LAYER)]).toEqual([200, true, true]);
    expect(quarantined(world)).toEqual([layer]);
    isBroken = false;
    expect(await pullAll(world)).toBe(1);
    expect(await pullAll(world)).toBe(0);
  });

  test('a blob that could not be read once, but now can, is kept', async () => {
    const layer = digestOf(LAYER);
    let failures = 0;
    await using world = await start({
      wrapStore: (store) => failingReads(store, layer, () => (failures -= 1) >= 0),
    });
    failures = 1;
    expect((await world.mirror.get(`/v2/acme/app/blobs/${layer}`)).body.equals(LAYER)).toBe(true);
    expect(quarantined(world)).toEqual([]);
    expect(await pullAll(world)).toBe(0);
  });
});

/** A store on a disk that cannot read a blob beyond its first 100,000 bytes. */
function failingReads(store: BlobStore, broken: Digest, isBroken: () => boolean, code = 'EIO'): BlobStore {
  return {
    stat: (digest) => store.stat(digest),
    ingest: (expected) => store.ingest(expected),
    delete: (digest) => store.delete(digest),
    quarantine: store.quarantine,
    list: () => store.list(),
    async open(digest) {
      const reader = await store.open(digest);
      if (reader === undefined || digest !== broken) return reader;
      return {
        size: reader.size,
        fd: undefined,
        available: (position) => reader.available(position),
        read(into, position) {
          if (position > 100_000 && isBroken()) throw new StoreError('read', { code });
          return reader.read(into, position);
        },
        close: () => reader.close(),
      };
    },
  };
}
