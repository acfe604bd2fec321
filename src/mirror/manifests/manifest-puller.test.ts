import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FETCHED_INDEX as FETCHED, INDEX_BYTES as BYTES } from '../../../test/support/empty-index.ts';
import { MemoryCache } from '../../../test/support/memory-cache.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { StoreError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { FetchedManifest } from '../../upstream/upstream.ts';
import { ManifestPuller } from './manifest-puller.ts';
import { HIT } from '../../repository/outcome.ts';
import type { Target } from '../target.ts';

const DIGEST = FETCHED.digest;

/** Returns a repository whose upstream gives this answer, and counts the questions. */
function repository(answer: () => Promise<FetchedManifest>): { target: Target; asked: () => number } {
  let asked = 0;
  const manifest = (): Promise<FetchedManifest> => {
    asked += 1;
    return answer();
  };
  return { target: targetOf({ ...new StubUpstream().upstream, manifest }), asked: () => asked };
}

test('a manifest that could not be stored is the repository’s, and served from memory', async () => {
  const store = () => ({ ingest: () => Promise.reject(new StoreError('begin a blob', { code: 'EMFILE' })) });
  await using cache = await MemoryCache.open({ store });
  const { target, asked } = repository(() => Promise.resolve(FETCHED));
  const manifests = new ManifestPuller(cache);
  await manifests.pull(target, DIGEST);
  expect(await manifests.pull(target, DIGEST)).toMatchObject({ manifest: { digest: DIGEST }, outcome: HIT });
  expect(asked()).toBe(1);
});

test('a manifest that is not in memory is read from the disk', async () => {
  await using cache = await MemoryCache.open();
  const { target, asked } = repository(() => Promise.resolve(FETCHED));
  await new ManifestPuller(cache).pull(target, DIGEST);
  const { manifest, outcome } = await new ManifestPuller(cache).pull(target, DIGEST);
  expect(Buffer.from(manifest.bytes)).toEqual(BYTES);
  expect([manifest.mediaType, outcome]).toEqual([MediaType.ociIndex, HIT]);
  expect(asked()).toBe(1);
});

test('bytes that are not known as a manifest are not read as one', async () => {
  await using cache = await MemoryCache.open();
  await cache.keep(DIGEST, BYTES);
  expect(await new ManifestPuller(cache).local('registry.test', DIGEST)).toBeUndefined();
});

test('a manifest whose type only another upstream tells is not served for this one', async () => {
  await using cache = await MemoryCache.open();
  const untyped = Buffer.from('{"schemaVersion":2}');
  const digest = digestOf(untyped);
  await cache.keep(digest, untyped);
  const { key } = targetOf(new StubUpstream('other.test').upstream);
  const descriptor = { mediaType: MediaType.ociManifest, digest, size: untyped.length };
  await cache.index.putManifest(key, { descriptor, subject: undefined }, []);
  const manifests = new ManifestPuller(cache);
  expect(await manifests.local('other.test', digest)).toMatchObject({ mediaType: MediaType.ociManifest });
  expect(await manifests.local('registry.test', digest)).toBeUndefined();
});

test('the caller gets the registry’s refusal only after the claim is dropped', async () => {
  const dropping = Promise.withResolvers<void>();
  await using cache = await MemoryCache.open({ index: { dropClaim: () => dropping.promise } });
  const no = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
  const { target, asked } = repository(() => Promise.reject(no));
  let told: unknown;
  const pulling = new ManifestPuller(cache).pull(target, DIGEST).catch((error: unknown) => {
    told = error;
  });
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect([asked(), told]).toEqual([1, undefined]);
  dropping.resolve();
  await pulling;
  expect(told).toBe(no);
});
