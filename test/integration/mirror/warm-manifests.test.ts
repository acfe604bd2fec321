import { Registry } from '../../../src/server/v2/registry.ts';
import { randomBytes } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import type { RepositoryKey } from '../../../src/index/repository-key.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { parseRepositoryName } from '../../../src/oci/repository-name.ts';
import { parseTag } from '../../../src/oci/tag.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import type { ReceivedAnswer, RequestOptions } from '../../support/http-get.ts';
import {
  MINUTE,
  startMirror,
  type MirrorFixture,
  type MirrorFixtureOptions,
} from '../../support/mirror-fixture.ts';
import { stallAfter } from '../../support/scripted-reply.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly image: StoredImage;
  readonly large: Digest;
  readonly index: Digest;
}

const KEY: RepositoryKey = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };
const BY_TAG = '/v2/acme/app/manifests/1';

/** An image `1`, an index `index` of it, and an image `large` of 200 layers. */
async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const image = registry.putImage('acme/app', '1');
  const platform = { os: 'linux', architecture: 'amd64' };
  const { digest: index } = registry.putIndex('acme/app', 'index', [{ ...image.descriptor, platform }]);
  const layers = Array.from({ length: 200 }, () => randomBytes(8));
  const { digest: large } = registry.putImage('acme/app', 'large', { layers });
  const upstreams = [
    {
      name: 'registry.test',
      registry,
      hosts: ['mirror.test'],
      isAllowed: (repository: string) => !repository.startsWith('secret/'),
    },
  ];
  const mirror = await startMirror({ upstreams, ...options });
  return {
    registry,
    mirror,
    image,
    large,
    index,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Whether the mirror says that it can answer without waiting. */
function isWarm({ mirror }: World, reference: string): boolean {
  const repository = mirror.repository(KEY);
  const resolution = repository.resolveNow(parseReference(reference));
  return resolution !== undefined && repository.manifestNow(resolution) !== undefined;
}

describe('a warm answer', () => {
  const single = { accept: MediaType.ociManifest };
  const all = { accept: [MediaType.ociIndex, MediaType.ociManifest] };

  /** What does not depend on when it was asked, and by whom. */
  function essence({ status, headers, body, complete }: ReceivedAnswer): object {
    const { date: _, 'x-request-id': __, ...rest } = headers;
    return { status, headers: rest, body: body.toString('hex'), complete };
  }

  test.each<[string, boolean, (world: World) => readonly [path: string, asked?: RequestOptions]]>([
    ['by tag', true, () => [BY_TAG]],
    ['by digest', true, ({ image }) => [`/v2/acme/app/manifests/${image.digest}`]],
    ['HEAD by tag', true, () => [BY_TAG, { method: 'HEAD' }]],
    ['HEAD by digest', true, ({ image }) => [`/v2/acme/app/manifests/${image.digest}`, { method: 'HEAD' }]],
    ['with many layers', true, () => ['/v2/acme/app/manifests/large']],
    ['with many layers, HEAD', true, () => ['/v2/acme/app/manifests/large', { method: 'HEAD' }]],
    ['of an index', true, () => ['/v2/acme/app/manifests/index', { headers: all }]],
    ['of an index by digest', true, ({ index }) => [`/v2/acme/app/manifests/${index}`, { headers: all }]],
    [
      'of an index to one who has it',
      true,
      ({ index }) => ['/v2/acme/app/manifests/index', { headers: { ...all, 'if-none-match': `"${index}"` } }],
    ],
    ['of an index, no Accept', true, () => ['/v2/acme/app/manifests/index']],
    [
      'of an index, to one who knows single images',
      false,
      () => ['/v2/acme/app/manifests/index', { headers: single }],
    ],
    ['with ns', true, () => [`${BY_TAG}?ns=registry.test`]],
    ['with ns and a prefix', true, () => ['/v2/registry.test/acme/app/manifests/1?ns=registry.test']],
    ['by prefix', true, () => ['/v2/registry.test/acme/app/manifests/1']],
    ['by prefix in front', true, () => ['/registry.test/v2/acme/app/manifests/1']],
    ['by Host', true, () => [BY_TAG, { headers: { host: 'mirror.test:5000' } }]],
    ['percent-encoded', true, () => ['/v2/acme/%61pp/manifests/1']],
    [
      'to one who has it',
      true,
      ({ image }) => [BY_TAG, { headers: { 'if-none-match': `W/"${image.digest}"` } }],
    ],
    ['to one who has it, HEAD', true, () => [BY_TAG, { method: 'HEAD', headers: { 'if-none-match': '*' } }]],
    ['to one who has another', true, () => [BY_TAG, { headers: { 'if-none-match': ['"x"', '"y"'] } }]],
    ['with a query that means nothing', true, () => [`${BY_TAG}?x=1`]],
    ['for an upstream that is not configured', false, () => [`${BY_TAG}?ns=other.test`]],
    ['for a repository that is denied', false, () => ['/v2/secret/app/manifests/1']],
    ['for a tag that is none', false, () => ['/v2/acme/app/manifests/-']],
    ['for a name that is none', false, () => ['/v2/Acme/app/manifests/1']],
    ['for a path that is none', false, () => ['/v3/acme/app/manifests/1']],
    ['to who wants to push', false, () => [BY_TAG, { method: 'PUT' }]],
  ])('%s is that of the routes', async (_, isWarmNow, asking) => {
    await using world = await start();
    const { mirror } = world;
    const [path, asked] = asking(world);
    for (const tag of ['1', 'index', 'large']) await mirror.get(`/v2/acme/app/manifests/${tag}`);
    using replyNow = vi.spyOn(Registry.prototype, 'replyNow');
    const before = mirror.served.length;
    const warm = await mirror.get(path, asked);
    expect(replyNow.mock.results.some(({ value }) => value !== undefined)).toBe(isWarmNow);
    replyNow.mockReturnValue(undefined);
    const routed = await mirror.get(path, asked);
    expect(essence(warm)).toEqual(essence(routed));
    await expect.poll(() => mirror.served.length).toBe(before + 2);
    const [{ id: first, ...warmRecord }, { id: second, ...routedRecord }] = mirror.served.slice(-2) as [
      (typeof mirror.served)[number],
      (typeof mirror.served)[number],
    ];
    expect(first).not.toBe(second);
    expect(warmRecord).toEqual(routedRecord);
  });

  test('has the id that the client gave', async () => {
    await using world = await start();
    await world.mirror.get(BY_TAG);
    const answer = await world.mirror.get(BY_TAG, { headers: { 'x-request-id': 'job-7' } });
    expect(answer.headers['x-request-id']).toBe('job-7');
    expect(world.mirror.served.at(-1)).toMatchObject({ id: 'job-7', outcome: 'hit', reference: '1' });
  });

  test('asks neither the index nor the store nor upstream for anything', async () => {
    await using world = await start();
    const { mirror, registry, image } = world;
    await mirror.get(BY_TAG);
    const hits = registry.count();
    const memory = new Set(['rememberedTag', 'remembersBelonging']);
    const methods = Object.keys(mirror.index).filter((name) => !memory.has(name));
    const asked = [
      ...methods.map((name) => vi.spyOn(mirror.index as unknown as Record<string, () => unknown>, name)),
      vi.spyOn(mirror.store, 'open'),
      vi.spyOn(mirror.store, 'stat'),
    ];
    for (const reference of ['1', image.digest]) {
      expect((await mirror.get(`/v2/acme/app/manifests/${reference}`)).status).toBe(200);
    }
    expect(asked.flatMap(({ mock }) => mock.calls as unknown[])).toEqual([]);
    expect(registry.count()).toBe(hits);
    for (const spy of asked) spy.mockRestore();
  });

  test('counts as a use', async () => {
    await using world = await start();
    const { mirror, image } = world;
    await mirror.get(BY_TAG);
    mirror.clock.advance(MINUTE);
    await mirror.get(BY_TAG);
    await mirror.mirror.flushUses();
    expect((await mirror.index.blob(image.digest))?.usedAt).toBe(mirror.clock.now());
  });

  test('counts for the limits while it is sent, and no longer', async () => {
    await using world = await start({ limits: { requests: 1, requestsPerClient: 1 } });
    const { mirror, registry } = world;
    for (let i = 0; i < 5; i += 1) expect((await mirror.get(BY_TAG)).status).toBe(200);
    const { digest } = registry.putBlob('acme/app', randomBytes(1_000_000));
    const stalled = stallAfter(100_000);
    registry.fault({ kind: 'blob' }, stalled);
    const running = await mirror.open(`/v2/acme/app/blobs/${digest}`);
    const refused = await mirror.get(BY_TAG);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    stalled.release();
    await running.toArray();
    await expect.poll(async () => (await mirror.get(BY_TAG)).status).toBe(200);
  });
});

describe('a tag in memory', () => {
  test('is asked for again when its time to live has ended, and then is what upstream says', async () => {
    await using world = await start();
    const { mirror, registry } = world;
    await mirror.get(BY_TAG);
    const moved = registry.putImage('acme/app', '1', { config: { moved: true } });
    mirror.clock.advance(5 * MINUTE - 1);
    expect((await mirror.get(BY_TAG)).headers['docker-content-digest']).toBe(world.image.digest);
    mirror.clock.advance(1);
    expect(isWarm(world, '1')).toBe(false);
    expect((await mirror.get(BY_TAG)).headers['docker-content-digest']).toBe(moved.digest);
    expect(isWarm(world, '1')).toBe(true);
    expect((await mirror.get(BY_TAG)).headers['docker-content-digest']).toBe(moved.digest);
  });

  test('that upstream has deleted is gone', async () => {
    await using world = await start();
    const { mirror, registry } = world;
    await mirror.get(BY_TAG);
    registry.deleteTag('acme/app', '1');
    mirror.clock.advance(5 * MINUTE);
    expect((await mirror.get(BY_TAG)).status).toBe(404);
    expect(isWarm(world, '1')).toBe(false);
  });

  test.each(['acme/app:1', 'acme/app', (world: World) => `acme/app@${world.image.digest}`])(
    'that was removed (%s) is asked for again',
    async (name) => {
      await using world = await start();
      const { mirror, registry } = world;
      await mirror.get(BY_TAG);
      await mirror.operator.remove(`registry.test/${typeof name === 'string' ? name : name(world)}`);
      expect(isWarm(world, '1')).toBe(false);
      registry.down();
      expect((await mirror.get(BY_TAG)).status).toBeGreaterThanOrEqual(500);
    },
  );
});

describe('what a repository has', () => {
  test('is no permission for another', async () => {
    await using world = await start();
    const { mirror, image } = world;
    await mirror.get(BY_TAG);
    const other = { ...KEY, repository: parseRepositoryName('acme/other') };
    const repository = mirror.repository(other);
    const resolution = repository.resolveNow({ kind: 'digest', digest: image.digest });
    expect(resolution && repository.manifestNow(resolution)).toBeUndefined();
    expect((await mirror.get(`/v2/acme/other/manifests/${image.digest}`)).status).toBe(404);
  });

  test('is no longer served from memory once it was removed, though the bytes stay for another', async () => {
    await using world = await start();
    const { mirror, registry, image } = world;
    registry.putImage('acme/other', '1');
    await mirror.get(BY_TAG);
    await mirror.get('/v2/acme/other/manifests/1');
    await mirror.operator.remove('registry.test/acme/app');
    expect(await mirror.store.stat(image.digest)).toBeDefined();
    expect(isWarm(world, image.digest)).toBe(false);
    registry.deleteDigest('acme/app', image.digest);
    expect((await mirror.get(`/v2/acme/app/manifests/${image.digest}`)).status).toBe(404);
    expect((await mirror.get(`/v2/acme/other/manifests/${image.digest}`)).status).toBe(200);
  });

  test('was set aside: it is served as before, and stored again', async () => {
    await using world = await start();
    const { mirror, image } = world;
    await mirror.get(BY_TAG);
    await mirror.mirror.setAside(image.digest, new Error('wrong bytes'));
    expect(isWarm(world, '1')).toBe(true);
    expect(await mirror.store.stat(image.digest)).toBeDefined();
  });
});

describe('a manifest that is read from the disk', () => {
  /** Lets a test do something between the reading of a manifest's row and of its bytes. */
  function holdReading({ mirror }: World): { readonly begun: Promise<void>; release: () => void } {
    const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { index } = mirror;
    const read = index.manifest.bind(index);
    vi.spyOn(index, 'manifest').mockImplementation(async (digest) => {
      const entry = await read(digest);
      begun.resolve();
      await released.promise;
      return entry;
    });
    return { begun: begun.promise, release: released.resolve };
  }

  test.each([
    ['meanwhile removed', true],
    ['left alone', false],
  ])('and %s: kept in memory or not', async (_, isRemoved) => {
    await using world = await start();
    const { mirror, image } = world;
    await mirror.get(BY_TAG);
    mirror.mirror.forget([image.digest]);
    const { begun, release } = holdReading(world);
    const reading = mirror.get(BY_TAG);
    await begun;
    if (isRemoved) mirror.mirror.forget([image.digest]);
    release();
    expect((await reading).status).toBe(200);
    expect(isWarm(world, '1')).toBe(!isRemoved);
  });
});

test('a tag that moves while it is looked up is not brought back', async () => {
  await using world = await start();
  const { mirror, image } = world;
  await mirror.get(BY_TAG);
  const other = { digest: world.large, checkedAt: mirror.clock.now() };
  await mirror.index.putTag(KEY, parseTag('1'), other);
  expect(isWarm(world, '1')).toBe(false);
  expect((await mirror.get(BY_TAG)).headers['docker-content-digest']).not.toBe(image.digest);
});
