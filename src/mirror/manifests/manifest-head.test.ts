import { describe, expect, test } from 'vitest';
import { FETCHED_INDEX as FETCHED, INDEX_BYTES as BYTES } from '../../../test/support/empty-index.ts';
import { MemoryCache } from '../../../test/support/memory-cache.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { ResolvedManifest } from '../../upstream/upstream.ts';
import { refusalKey } from '../negative-cache.ts';
import { completeHead, ManifestPuller } from './manifest-puller.ts';

const DIGEST = FETCHED.digest;
const TOLD = { digest: DIGEST, mediaType: MediaType.ociIndex, size: BYTES.length };
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');

async function start(head: () => Promise<ResolvedManifest | undefined>) {
  const cache = await MemoryCache.open();
  const asked = { heads: 0, gets: 0 };
  const target = targetOf({
    ...new StubUpstream().upstream,
    resolve() {
      asked.heads += 1;
      return head();
    },
    async manifest() {
      asked.gets += 1;
      return FETCHED;
    },
  });
  return { cache, asked, target, manifests: new ManifestPuller(cache) };
}

describe('HEAD of a manifest by its digest', () => {
  test('is answered by upstream’s HEAD, one for all callers that ask at the same time', async () => {
    const { cache, asked, target, manifests } = await start(() => Promise.resolve(TOLD));
    const told = await Promise.all([1, 2].map(() => manifests.head(target, DIGEST)));
    expect([told, asked]).toEqual([[TOLD, TOLD], { heads: 1, gets: 0 }]);
    await cache[Symbol.asyncDispose]();
  });

  test('asks nothing if the manifest is cached', async () => {
    const { cache, asked, target, manifests } = await start(() => Promise.resolve(TOLD));
    await manifests.pull(target, DIGEST);
    expect([await manifests.head(target, DIGEST), asked.heads]).toEqual([undefined, 0]);
    await cache[Symbol.asyncDispose]();
  });

  test('that upstream refuses is left to GET', async () => {
    const { cache, target, manifests } = await start(() => Promise.reject(ABSENT));
    expect(await manifests.head(target, DIGEST)).toBeUndefined();
    await cache[Symbol.asyncDispose]();
  });

  test('that upstream does not answer fails', async () => {
    const { cache, target, manifests } = await start(() => Promise.reject(AWAY));
    await expect(manifests.head(target, DIGEST)).rejects.toBe(AWAY);
    await cache[Symbol.asyncDispose]();
  });

  test('is refused without a question if the manifest was refused a moment ago', async () => {
    const { cache, asked, target, manifests } = await start(() => Promise.resolve(TOLD));
    cache.negative.put(refusalKey('manifest', target.key, DIGEST), ABSENT);
    await expect(manifests.head(target, DIGEST)).rejects.toMatchObject({ wasAsked: false });
    await expect(manifests.pull(target, DIGEST)).rejects.toMatchObject({ wasAsked: false });
    expect(asked).toEqual({ heads: 0, gets: 0 });
    await cache[Symbol.asyncDispose]();
  });
});

test.each<[string, ResolvedManifest | undefined, unknown]>([
  ['all that a client wants to know', TOLD, TOLD],
  ['nothing', undefined, undefined],
  ['no type', { ...TOLD, mediaType: undefined }, undefined],
  ['no size', { ...TOLD, size: undefined }, undefined],
])('from %s that upstream’s HEAD tells, an answer to a client’s HEAD is made or not', (_, told, expected) => {
  expect(completeHead(told)).toEqual(expected);
});

describe('a manifest', () => {
  test('that is refused is not asked for again at once; one that upstream could not answer for is', async () => {
    for (const [error, expected] of [
      [ABSENT, 1],
      [AWAY, 2],
    ] as const) {
      const { cache, target } = await start(() => Promise.resolve(TOLD));
      let gets = 0;
      const manifest = async (): Promise<never> => {
        gets += 1;
        throw error;
      };
      const manifests = new ManifestPuller(cache);
      const refusing = { ...target, upstream: { ...target.upstream, manifest } };
      for (let times = 0; times < 2; times += 1) {
        await expect(manifests.pull(refusing, DIGEST)).rejects.toMatchObject({ failure: error.failure });
      }
      expect(gets).toBe(expected);
      await cache[Symbol.asyncDispose]();
    }
  });

  test('is served at once if it is in memory and known to be the repository’s, until it is forgotten', async () => {
    const { cache, target, manifests } = await start(() => Promise.resolve(TOLD));
    expect(manifests.pullNow(target, DIGEST)).toBeUndefined();
    await manifests.pull(target, DIGEST);
    expect(manifests.pullNow(target, DIGEST)).toMatchObject({ digest: DIGEST });
    const other = targetOf(target.upstream, 'acme/other');
    expect(manifests.pullNow(other, DIGEST)).toBeUndefined();
    expect([await manifests.cached(other, DIGEST), await manifests.cached(target, DIGEST)]).toMatchObject([
      undefined,
      { digest: DIGEST },
    ]);
    manifests.forget([DIGEST]);
    expect(manifests.pullNow(target, DIGEST)).toBeUndefined();
    await cache[Symbol.asyncDispose]();
  });

  test('that the disk has lost is stored again from memory', async () => {
    const { cache, target, manifests } = await start(() => Promise.resolve(TOLD));
    await manifests.pull(target, DIGEST);
    await cache.store.delete(DIGEST);
    await manifests.restore(DIGEST);
    expect(await cache.store.stat(DIGEST)).toMatchObject({ size: BYTES.length });
    await cache[Symbol.asyncDispose]();
  });

  test('that was lost is stored again when it is used, and when all missing parts of an image are stored', async () => {
    const { cache, target, manifests } = await start(() => Promise.resolve(TOLD));
    await manifests.pull(target, DIGEST);
    for (const use of [
      () => manifests.pull(target, DIGEST),
      () => Promise.resolve(manifests.pullNow(target, DIGEST)),
      () => manifests.storeMissing(DIGEST),
    ]) {
      await cache.store.delete(DIGEST);
      manifests.lost(DIGEST);
      await use();
      await manifests.close();
      expect(await cache.store.stat(DIGEST)).toMatchObject({ size: BYTES.length });
    }
    await cache[Symbol.asyncDispose]();
  });

  test('disproves earlier refusals of what it names', async () => {
    const { cache, target, manifests } = await start(() => Promise.resolve(TOLD));
    const child = digestOf('child');
    const descriptor = { mediaType: MediaType.ociManifest, digest: child, size: 5 };
    const bytes = Buffer.from(JSON.stringify({ ...JSON.parse(BYTES.toString()), manifests: [descriptor] }));
    const name = refusalKey('manifest', target.key, child);
    cache.negative.put(name, ABSENT);
    const content = parseManifest(bytes, MediaType.ociIndex);
    await manifests.take(target, { ...FETCHED, bytes, digest: digestOf(bytes), content });
    expect(cache.negative.get(name)).toBeUndefined();
    await cache[Symbol.asyncDispose]();
  });

  test('that has no digest that can be verified is handed through, and kept nowhere', async () => {
    const { cache, target, manifests } = await start(() => Promise.resolve(TOLD));
    expect(await manifests.take(target, { ...FETCHED, verified: false })).toMatchObject({ digest: DIGEST });
    expect(await manifests.local('registry.test', DIGEST)).toBeUndefined();
    expect(await cache.belonging.has(target.key, DIGEST)).toBe(false);
    await cache[Symbol.asyncDispose]();
  });
});
