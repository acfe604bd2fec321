/** Where memory and the disk differ in what they have of a manifest. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';

const IN_MEMORY = 1024 * 1024;
/** No manifest is as small. */
const ON_DISK_ONLY = 1;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  /** It is in the repositories acme/app and acme/other, and was pulled from both. */
  readonly image: StoredImage;
  /** The process ends, and another one begins, while upstream is gone. */
  restartOffline(): Promise<void>;
}

async function start(manifestMemoryBytes: number): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const directory = await mkdtemp(join(tmpdir(), 'larder-memory-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const upstreams = [{ name: 'registry.test', registry }];
  const open = (): Promise<MirrorFixture> => startMirror({ directory, upstreams, manifestMemoryBytes });
  let mirror = await open();
  stack.defer(() => mirror[Symbol.asyncDispose]());
  const image = registry.putImage('acme/app', 'latest');
  registry.putImage('acme/other', 'latest');
  for (const name of ['app', 'other']) await mirror.get(`/v2/acme/${name}/manifests/latest`);
  const owned = stack.move();
  return {
    registry,
    image,
    get mirror() {
      return mirror;
    },
    async restartOffline() {
      await mirror[Symbol.asyncDispose]();
      registry.down();
      mirror = await open();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** As the evictor does. */
async function evict({ mirror: { store, mirror, index }, image: { digest } }: World): Promise<void> {
  await store.delete(digest);
  await index.deleteBlob(digest);
  mirror.evicted(digest);
}

async function change({ mirror, image: { digest } }: World): Promise<void> {
  const bytes = await readFile(mirror.pathOf(digest));
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  await writeFile(mirror.pathOf(digest), bytes);
}

async function verify({ mirror }: World): Promise<void> {
  await mirror.upkeep.verify({ repair: false, signal: new AbortController().signal });
}

const PATHS = (digest: Digest): readonly string[] =>
  ['app', 'other'].flatMap((name) => ['latest', digest].map((what) => `/v2/acme/${name}/manifests/${what}`));

/** It is served by tag and by digest from both repositories. @returns how many requests upstream saw for that */
async function pullAll({ mirror, registry, image }: World): Promise<number> {
  const before = registry.count();
  for (const path of PATHS(image.digest)) {
    const { status, body } = await mirror.get(path);
    expect([path, status, digestOf(body)]).toEqual([path, 200, image.digest]);
  }
  return registry.count() - before;
}

/** Whether the disk has the right bytes, and the index knows of them. */
async function isStored({ mirror, image: { digest } }: World): Promise<boolean> {
  const bytes = await readFile(mirror.pathOf(digest)).catch(() => undefined);
  const rows = [await mirror.index.blob(digest), await mirror.index.manifest(digest)];
  return bytes !== undefined && digestOf(bytes) === digest && !rows.includes(undefined);
}

interface Loss {
  readonly what: string;
  readonly lose: (world: World) => Promise<unknown>;
  /** Whether it is found before it is asked for, so that what memory has can be stored again. */
  readonly isNoticed: boolean;
}

const LOSSES: readonly Loss[] = [
  { what: 'was evicted', lose: evict, isNoticed: true },
  {
    what: 'was lost by the disk, which is not known yet',
    lose: ({ mirror, image }) => mirror.deleteFile(image.digest),
    isNoticed: false,
  },
  {
    what: 'was lost by the disk, which a verification has found',
    async lose(world) {
      await world.mirror.deleteFile(world.image.digest);
      await verify(world);
    },
    isNoticed: true,
  },
  { what: 'has changed on the disk, which is not known yet', lose: change, isNoticed: false },
  {
    what: 'has changed on the disk, and was set aside by a verification',
    async lose(world) {
      await change(world);
      await verify(world);
    },
    isNoticed: true,
  },
  {
    what: 'was set aside',
    lose: ({ mirror, image }) => mirror.mirror.setAside(image.digest, new Error('it cannot be read')),
    isNoticed: true,
  },
];

describe.each(LOSSES)('a manifest that $what', ({ lose, isNoticed }) => {
  test('is served from memory where it is there, and upstream is not asked', async () => {
    await using world = await start(IN_MEMORY);
    await lose(world);
    expect(await pullAll(world)).toBe(0);
  });

  test.runIf(isNoticed)('is stored again from memory, and outlasts the end of the process', async () => {
    await using world = await start(IN_MEMORY);
    await lose(world);
    await pullAll(world);
    await expect.poll(() => isStored(world)).toBe(true);
    await world.restartOffline();
    await pullAll(world);
  });

  test('comes from upstream once where memory has it not, and is stored again', async () => {
    await using world = await start(ON_DISK_ONLY);
    await lose(world);
    expect(await pullAll(world)).toBe(1);
    expect(await isStored(world)).toBe(true);
    await world.restartOffline();
    await pullAll(world);
  });
});

describe('a manifest that memory has not', () => {
  test('is served from the disk, and upstream is not asked', async () => {
    await using world = await start(ON_DISK_ONLY);
    expect(await pullAll(world)).toBe(0);
  });
});

test('what memory has is stored again at once where it was set aside, before a client asks for it', async () => {
  await using world = await start(IN_MEMORY);
  await change(world);
  await verify(world);
  expect(await isStored(world)).toBe(true);
  await world.restartOffline();
  await pullAll(world);
});

describe.each([
  { where: 'memory and the disk have', memory: IN_MEMORY, lose: async () => {} },
  { where: 'only memory has', memory: IN_MEMORY, lose: evict },
  { where: 'only the disk has', memory: ON_DISK_ONLY, lose: async () => {} },
])('a manifest that $where', ({ memory, lose }) => {
  test('is gone once it was removed, and does not come back', async () => {
    await using world = await start(memory);
    const { mirror, registry, image } = world;
    await lose(world);
    for (const name of ['app', 'other']) await mirror.operator.remove(`registry.test/acme/${name}`);
    registry.down();
    for (const path of PATHS(image.digest)) expect((await mirror.get(path)).status).toBe(502);
    expect(await isStored(world)).toBe(false);
    expect(await mirror.files('blobs/sha256')).toEqual([]);
  });

  test.each(['registry.test/acme/app', 'registry.test/acme/app:latest'])(
    'stays what it was for another repository where %s was removed',
    async (name) => {
      await using world = await start(memory);
      const { mirror, registry, image } = world;
      await lose(world);
      await mirror.operator.remove(name);
      registry.down();
      const [, , ...others] = PATHS(image.digest);
      for (const path of others) expect([path, (await mirror.get(path)).status]).toEqual([path, 200]);
      await expect.poll(() => isStored(world)).toBe(true);
      await world.restartOffline();
      for (const path of others) expect([path, (await world.mirror.get(path)).status]).toEqual([path, 200]);
    },
  );
});

test('an old manifest of a tag that has moved is served by digest, from memory or disk, whichever has it', async () => {
  for (const memory of [IN_MEMORY, ON_DISK_ONLY]) {
    await using world = await start(memory);
    const { mirror, registry, image } = world;
    if (memory === IN_MEMORY) await evict(world);
    const next = registry.putImage('acme/app', 'latest', { config: { version: 2 } });
    mirror.clock.advance(5 * 60_000);
    const tagged = await mirror.get('/v2/acme/app/manifests/latest');
    expect(digestOf(tagged.body)).toBe(next.digest);
    const before = registry.count();
    const old = await mirror.get(`/v2/acme/app/manifests/${image.digest}`);
    expect([digestOf(old.body), registry.count() - before]).toEqual([image.digest, 0]);
  }
});
