import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RepositoryKey } from '../../../src/index/repository-key.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseRepositoryName } from '../../../src/oci/repository-name.ts';
import { parseTag } from '../../../src/oci/tag.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(options: Pick<MirrorFixtureOptions, 'msPerReading'> = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({
    upstreams: [{ name: 'docker.io', registry, addLibrary: true }],
    ...options,
  });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function keyOf(repository: string): RepositoryKey {
  return { registry: 'docker.io', repository: parseRepositoryName(repository) };
}

/** Pulls as a client does. */
async function pull({ mirror }: World, repository: string, tag: string, image: StoredImage): Promise<void> {
  await mirror.get(`/v2/${repository}/manifests/${tag}`);
  await pullBlobs({ mirror }, repository, image);
}

async function pullBlobs(
  { mirror }: Pick<World, 'mirror'>,
  repository: string,
  { config, layers }: { config: Descriptor; layers: readonly Descriptor[] },
): Promise<void> {
  for (const { digest } of [config, ...layers]) {
    expect((await mirror.get(`/v2/${repository}/blobs/${digest}`)).status).toBe(200);
  }
}

const isStored = async ({ mirror }: World, digest: Digest): Promise<boolean> => {
  const [bytes, row] = [await mirror.store.stat(digest), await mirror.index.blob(digest)];
  expect(bytes === undefined).toBe(row === undefined);
  return bytes !== undefined;
};

const storedOf = async (world: World, digests: readonly Digest[]): Promise<boolean[]> => {
  const stored: boolean[] = [];
  for (const digest of digests) stored.push(await isStored(world, digest));
  return stored;
};

/** Two images with a layer in common, tagged `1` and `2`, and everything pulled. */
async function startWithTwo(options: Pick<MirrorFixtureOptions, 'msPerReading'> = {}) {
  const world = await start(options);
  const { registry } = world;
  const [base, one, two] = [randomBytes(1000), randomBytes(2000), randomBytes(3000)];
  const first = registry.putImage('library/app', '1', { layers: [base, one], config: { a: 1 } });
  const second = registry.putImage('library/app', '2', { layers: [base, two], config: { a: 2 } });
  await pull(world, 'app', '1', first);
  await pull(world, 'app', '2', second);
  const [baseLayer, oneLayer] = first.layers as [Descriptor, Descriptor];
  const [, twoLayer] = second.layers as [Descriptor, Descriptor];
  return { ...world, world, first, second, baseLayer, oneLayer, twoLayer };
}

describe('rm of a tag', () => {
  test('deletes what only it led to', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, registry, first, second, baseLayer, oneLayer, twoLayer } = pulled;
    const removed = await mirror.operator.remove('app:1');
    const bytes = first.bytes.length + first.config.size + oneLayer.size;
    expect(removed).toEqual({ tags: 1, blobs: 3, bytes });
    expect(await storedOf(world, [first.digest, first.config.digest, oneLayer.digest])).toEqual([
      false,
      false,
      false,
    ]);
    const kept = [second.digest, second.config.digest, twoLayer.digest, baseLayer.digest];
    expect(await storedOf(world, kept)).toEqual([true, true, true, true]);
    const before = registry.requests.length;
    await pull(world, 'app', '2', second);
    expect(registry.requests).toHaveLength(before);
  });

  test('is noticed by what is in memory: the next pull asks upstream', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, registry, first, oneLayer } = pulled;
    await mirror.operator.remove('docker.io/library/app:1');
    const before = registry.requests.length;
    await pull(world, 'app', '1', first);
    const asked = registry.requests.slice(before).map(({ method, kind }) => `${method} ${kind}`);
    expect(asked).toEqual(['HEAD manifest', 'GET manifest', 'GET blob', 'GET blob']);
    expect(await isStored(world, oneLayer.digest)).toBe(true);
  });

  test('leaves the image to another tag of it', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, registry, first } = pulled;
    registry.tag('library/app', 'latest', first.digest);
    await mirror.get('/v2/app/manifests/latest');
    expect(await mirror.operator.remove('app:1')).toEqual({ tags: 1, blobs: 0, bytes: 0 });
    expect(await isStored(world, first.digest)).toBe(true);
    expect(await mirror.index.tags(keyOf('library/app'), { limit: 9 })).toEqual(['2', 'latest']);
    expect(await mirror.operator.remove('app:latest')).toMatchObject({ tags: 1, blobs: 3 });
    expect(await isStored(world, first.digest)).toBe(false);
  });

  test('leaves to other repositories what is theirs', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, registry, first, baseLayer, oneLayer } = pulled;
    const other = registry.putImage('acme/other', '1', { layers: [randomBytes(9)] });
    registry.putBlob('acme/other', randomBytes(1));
    registry.putManifest('acme/other', 'same', first.bytes);
    await mirror.get('/v2/acme/other/manifests/same');
    await pull(world, 'acme/other', '1', other);
    expect(await mirror.operator.remove('app:1')).toEqual({ tags: 1, blobs: 0, bytes: 0 });
    expect(await storedOf(world, [first.digest, baseLayer.digest, oneLayer.digest])).toEqual([
      true,
      true,
      true,
    ]);
    expect(await mirror.index.belongs(keyOf('library/app'), oneLayer.digest)).toBe(false);
    // It is served to the other repository only.
    const before = registry.requests.length;
    expect((await mirror.get(`/v2/acme/other/manifests/${first.digest}`)).status).toBe(200);
    expect(registry.requests).toHaveLength(before);
    expect((await mirror.get(`/v2/app/blobs/${oneLayer.digest}`)).status).toBe(200);
    expect(registry.requests.length).toBeGreaterThan(before);
  });

  test('deletes an index with its images and their signatures, but not an image that has a tag', async () => {
    await using world = await start();
    const { registry, mirror } = world;
    const amd64 = registry.putImage('acme/app', undefined, {
      layers: [randomBytes(10)],
      config: { arch: 'amd64' },
    });
    const arm64 = registry.putImage('acme/app', 'arm', {
      layers: [randomBytes(20)],
      config: { arch: 'arm64' },
    });
    const index = registry.putIndex('acme/app', 'multi', [amd64.descriptor, arm64.descriptor]);
    const signature = registry.putImage('acme/app', undefined, { layers: [], subject: amd64.descriptor });
    await mirror.get('/v2/acme/app/manifests/multi');
    await mirror.get('/v2/acme/app/manifests/arm');
    for (const { digest } of [amd64, signature]) await mirror.get(`/v2/acme/app/manifests/${digest}`);
    for (const image of [amd64, arm64]) await pullBlobs(world, 'acme/app', image);
    await mirror.operator.remove('acme/app:multi');
    const gone = [index.digest, amd64.digest, amd64.config.digest, signature.digest];
    expect(await storedOf(world, gone)).toEqual([false, false, false, false]);
    const kept = [arm64.digest, arm64.config.digest, ...arm64.layers.map(({ digest }) => digest)];
    expect(await storedOf(world, kept)).toEqual([true, true, true]);
  });

  test('lets whoever is reading read on', async () => {
    await using pulled = await startWithTwo();
    const { mirror, world, oneLayer } = pulled;
    const reader = await mirror.store.open(oneLayer.digest);
    await mirror.operator.remove('app:1');
    expect(await isStored(world, oneLayer.digest)).toBe(false);
    expect(await reader?.read(new Uint8Array(10), 0)).toBe(10);
    await reader?.close();
  });

  test('ends its pin', async () => {
    await using pulled = await startWithTwo();
    const { mirror } = pulled;
    await mirror.operator.pin('app:1');
    await mirror.operator.remove('app:1');
    expect(await mirror.operator.pins({ limit: 10 })).toEqual([]);
  });

  test('leaves what a pin names by its digest', async () => {
    await using pulled = await startWithTwo();
    const { mirror, world, first, oneLayer } = pulled;
    await mirror.operator.pin(`app@${first.digest}`);
    await mirror.operator.remove('app:1');
    expect(await storedOf(world, [first.digest, oneLayer.digest])).toEqual([true, true]);
  });
});

describe('rm of a repository', () => {
  test('deletes all of it, and nothing else', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, registry, first, second, baseLayer, twoLayer } = pulled;
    registry.putManifest('acme/other', 'same', first.bytes);
    await mirror.get('/v2/acme/other/manifests/same');
    await mirror.operator.pin('app');
    const removed = await mirror.operator.remove('app');
    expect(removed).toMatchObject({ tags: 2, blobs: 3 });
    expect(await storedOf(world, [second.digest, second.config.digest, twoLayer.digest])).toEqual([
      false,
      false,
      false,
    ]);
    expect(await storedOf(world, [first.digest, baseLayer.digest])).toEqual([true, true]);
    expect(await mirror.index.repositories({ limit: 9 })).toEqual(['docker.io/acme/other']);
    expect(await mirror.operator.pins({ limit: 9 })).toEqual([]);
    expect(await mirror.operator.remove('acme/other')).toMatchObject({ tags: 1, blobs: 4 });
    expect(await mirror.index.stats()).toEqual({ blobs: 0, bytes: 0 });
    expect(await mirror.files('blobs/sha256')).toEqual([]);
  });

  test('is noticed by what is in memory', async () => {
    await using pulled = await startWithTwo();
    const { mirror, registry } = pulled;
    await mirror.get('/v2/app/tags/list');
    await mirror.operator.remove('app');
    registry.down();
    for (const path of ['manifests/1', 'tags/list', `blobs/${pulled.oneLayer.digest}`]) {
      expect((await mirror.get(`/v2/app/${path}`)).status).toBe(502);
    }
  });

  test('of which only a blob was ever asked for is possible', async () => {
    await using world = await start();
    const { digest } = world.registry.putBlob('acme/app', randomBytes(10));
    await world.mirror.get(`/v2/acme/app/blobs/${digest}`);
    expect(await world.mirror.operator.remove('acme/app')).toEqual({ tags: 0, blobs: 1, bytes: 10 });
  });
});

describe('rm of a digest', () => {
  test('of a repository deletes it with its tags, and what only it led to', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, first, second, oneLayer, baseLayer } = pulled;
    const removed = await mirror.operator.remove(`app:2@${first.digest}`);
    expect(removed).toMatchObject({ tags: 1, blobs: 3 });
    expect(await mirror.index.tag(keyOf('library/app'), parseTag('1'))).toBeUndefined();
    expect(await storedOf(world, [first.digest, oneLayer.digest, baseLayer.digest, second.digest])).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('deletes a layer though manifests refer to it; the next pull has it from upstream', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, registry, baseLayer, first, second } = pulled;
    expect(await mirror.operator.remove(baseLayer.digest)).toEqual({ tags: 0, blobs: 1, bytes: 1000 });
    expect(await storedOf(world, [baseLayer.digest, first.digest, second.digest])).toEqual([
      false,
      true,
      true,
    ]);
    const before = registry.requests.length;
    await pull(world, 'app', '1', first);
    expect(registry.requests).toHaveLength(before + 1);
  });

  test('takes it from every repository', async () => {
    await using pulled = await startWithTwo();
    const { world, mirror, registry, first, oneLayer } = pulled;
    registry.putManifest('acme/other', 'same', first.bytes);
    await mirror.get('/v2/acme/other/manifests/same');
    await mirror.operator.pin(first.digest);
    expect(await mirror.operator.remove(first.digest)).toMatchObject({ tags: 2, blobs: 3 });
    expect(await storedOf(world, [first.digest, oneLayer.digest])).toEqual([false, false]);
    expect(await mirror.index.repositories({ limit: 9 })).toEqual(['docker.io/library/app']);
    expect(await mirror.operator.pins({ limit: 9 })).toEqual([]);
  });
});

describe('a name under which nothing is cached', () => {
  test.each([
    'other',
    'app:3',
    'ghcr.io/acme/app',
    `sha256:${'a'.repeat(64)}`,
    `app@sha256:${'a'.repeat(64)}`,
  ])('%s is unknown', async (reference) => {
    await using pulled = await startWithTwo();
    const { operator, index } = pulled.mirror;
    const before = await index.stats();
    for (const act of [operator.remove(reference), operator.pin(reference), operator.unpin(reference)]) {
      await expect(act).rejects.toMatchObject({ name: 'OperatorError', code: 'unknown' });
    }
    expect(await index.stats()).toEqual(before);
  });

  test('is told apart from one that is none', async () => {
    await using world = await start();
    await expect(world.mirror.operator.remove('App')).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('pins', () => {
  test('are set and ended by tag, digest and repository', async () => {
    await using pulled = await startWithTwo();
    const { mirror, first } = pulled;
    const { operator } = mirror;
    const one = 'docker.io/library/app:1';
    const two = 'docker.io/library/app:2';
    expect(await operator.pin('app:1')).toEqual([one]);
    expect(await operator.pin(`app@${first.digest}`)).toEqual([first.digest]);
    expect(await operator.pin('app')).toEqual([one, two]);
    const names = async (): Promise<string[]> => (await operator.pins({ limit: 10 })).map(({ name }) => name);
    expect(await names()).toEqual([one, two, first.digest]);
    expect(await operator.unpin('app:2')).toEqual([two]);
    expect(await operator.unpin(first.digest)).toEqual([first.digest]);
    expect(await names()).toEqual([one]);
    expect(await operator.unpin('app')).toEqual([one]);
    expect(await names()).toEqual([]);
  });

  test('need a tag or a digest', async () => {
    await using world = await start();
    const { digest } = world.registry.putBlob('acme/app', randomBytes(10));
    await world.mirror.get(`/v2/acme/app/blobs/${digest}`);
    await expect(world.mirror.operator.pin('acme/app')).rejects.toThrow(
      'docker.io/acme/app has no tags here: name a digest of it',
    );
    expect(await world.mirror.operator.pin(`acme/app@${digest}`)).toEqual([digest]);
  });
});

describe('what is cached', () => {
  test('is listed by repository and by tag, with sizes, uses and pins', async () => {
    // All uses at one time.
    await using pulled = await startWithTwo({ msPerReading: 0 });
    const { mirror, first, second, baseLayer, oneLayer, twoLayer } = pulled;
    const { operator } = mirror;
    await operator.pin('app:1');
    await operator.pin(second.digest);
    const shared = first.bytes.length + first.config.size + baseLayer.size + oneLayer.size;
    const all = shared + second.bytes.length + second.config.size + twoLayer.size;
    const usedAt = mirror.clock.now();
    expect(await operator.repositories({ limit: 10 })).toEqual([
      { repository: 'docker.io/library/app', tags: 2, blobs: 7, bytes: all, usedAt, pins: 1 },
    ]);
    const rows = await operator.tags('app', { limit: 10 });
    expect(rows).toEqual([
      {
        tag: '1',
        digest: first.digest,
        checkedAt: usedAt,
        parts: 4,
        blobs: 4,
        bytes: shared,
        usedAt,
        isPinned: true,
      },
      expect.objectContaining({ tag: '2', digest: second.digest, blobs: 4, isPinned: true }),
    ]);
    expect(await operator.tags('app', { after: '1', limit: 10 })).toMatchObject([{ tag: '2' }]);
    await expect(operator.tags('app:1', { limit: 10 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(operator.tags('other', { limit: 10 })).rejects.toMatchObject({ code: 'unknown' });
    expect(await operator.stats()).toEqual({
      blobs: 7,
      bytes: all,
      maxBytes: undefined,
      quarantine: { blobs: 0, bytes: 0, digests: [] },
      pins: 2,
      upstreams: [{ upstream: 'docker.io', repositories: 1, tags: 2, blobs: 7, bytes: all }],
    });
  });

  test('is listed by pages', async () => {
    await using world = await start();
    for (let number = 0; number < 7; number += 1) {
      const image = world.registry.putImage(`acme/app${number}`, 'latest', { config: { number } });
      await pull(world, `acme/app${number}`, 'latest', image);
    }
    const { operator } = world.mirror;
    const first = await operator.repositories({ limit: 5 });
    const rest = await operator.repositories({ after: first.at(-1)?.repository, limit: 5 });
    expect([...first, ...rest].map(({ repository }) => repository)).toEqual(
      Array.from({ length: 7 }, (_, number) => `docker.io/acme/app${number}`),
    );
    expect((await operator.stats()).upstreams).toMatchObject([{ repositories: 7, tags: 7, blobs: 21 }]);
  });
});
