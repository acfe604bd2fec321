import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MemoryCache } from '../../../test/support/memory-cache.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { CONFIRMED, HIT } from '../../repository/outcome.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { FetchedManifest, ResolvedManifest, Upstream } from '../../upstream/upstream.ts';
import { refusalKey } from '../negative-cache.ts';
import type { Target } from '../target.ts';
import type { HeldContent } from './confirms.ts';

const BYTES = Buffer.from('some bytes');
const DIGEST = digestOf(BYTES);
const SIZE = BYTES.length;
const BLOB: HeldContent = { kind: 'blob', digest: DIGEST, size: SIZE };
const MANIFEST: HeldContent = { ...BLOB, kind: 'manifest' };
const TOLD: ResolvedManifest = { digest: DIGEST, mediaType: MediaType.ociManifest, size: SIZE };
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const UNPROVEN = new UpstreamError('registry.test', 'absent', 'not-found', 'a page');
const DENIED = new UpstreamError('registry.test', 'denied', 'unauthorized', 'no');
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
}

/** Sets up bytes that the upstream has given for another of its repositories; if `isClaimed`, a manifest names them. */
async function start(changes: Partial<Upstream> = {}, index: Parameters<typeof MemoryCache.open>[0] = {}) {
  const cache = await MemoryCache.open(index);
  await cache.keep(DIGEST, BYTES);
  const target = targetOf({ ...new StubUpstream().upstream, ...changes });
  await cache.index.putOrigin('registry.test', DIGEST);
  return { cache, target };
}

async function claim(cache: MemoryCache, { key }: Target): Promise<void> {
  const descriptor = { mediaType: MediaType.ociManifest, digest: digestOf('manifest'), size: 500 };
  const edge = { role: 'layer', digest: DIGEST, size: SIZE, mediaType: '' } as const;
  await cache.index.putManifest(key, { descriptor, subject: undefined }, [edge]);
}

/** Returns an upstream that gives this answer about the blob, and counts the questions. */
function blobs(answer: () => ReturnType<Upstream['statBlob']>) {
  const asked: (AbortSignal | undefined)[] = [];
  const statBlob: Upstream['statBlob'] = (_, __, { signal } = {}) => {
    asked.push(signal);
    return answer();
  };
  return { statBlob, asked };
}

describe('cached bytes', () => {
  test('are served without a question if they are known to be the repository’s', async () => {
    const { cache, target } = await start();
    await cache.belonging.add(target.key, DIGEST, 'given');
    expect(cache.permission.isServedNow(target.key, DIGEST)).toBe(true);
    expect(await cache.permission.ask(target, BLOB)).toEqual(HIT);
    await cache[Symbol.asyncDispose]();
  });

  test('are served once upstream has confirmed them, and from then on without a question', async () => {
    const { statBlob, asked } = blobs(() => Promise.resolve({ size: SIZE, by: 'head' }));
    const { cache, target } = await start({ statBlob });
    expect(cache.permission.isServedNow(target.key, DIGEST)).toBe(false);
    expect(await cache.permission.ask(target, BLOB)).toEqual(CONFIRMED);
    expect(await cache.permission.ask(target, BLOB)).toEqual(HIT);
    expect(asked).toHaveLength(1);
    await cache[Symbol.asyncDispose]();
  });

  test('are fetched if upstream’s answer does not confirm them, and nothing is recorded', async () => {
    const { statBlob } = blobs(() => Promise.resolve({ size: SIZE + 1, by: 'head' }));
    const { cache, target } = await start({ statBlob });
    expect(await cache.permission.ask(target, BLOB)).toBe('fetch');
    expect(await cache.belonging.has(target.key, DIGEST)).toBe(false);
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['refused by the registry', ABSENT],
    ['denied', DENIED],
  ])('that are %s are not served, claimed or not, though every client could pull them', async (_, no) => {
    const { statBlob } = blobs(() => Promise.reject(no));
    const { cache, target } = await start({ statBlob });
    await claim(cache, target);
    const open = { ...target, permission: { ...target.permission, isOpen: true } };
    await expect(cache.permission.ask(open, BLOB)).rejects.toBe(no);
    await cache[Symbol.asyncDispose]();
  });

  test('are served unconfirmed, with a warning, if the policy says so and upstream is away', async () => {
    const { statBlob } = blobs(() => Promise.reject(AWAY));
    const { cache, target } = await start({ statBlob });
    await claim(cache, target);
    const open = { ...target, permission: { ...target.permission, isOpen: true } };
    expect(await cache.permission.ask(open, BLOB)).toEqual({
      hit: false,
      fwd: 'stale',
      detail: 'timeout',
      warning: 'served from the cache without confirmation: registry.test: no answer',
    });
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    [
      'that a manifest claims are reported as cached, but unconfirmed',
      true,
      { reason: 'unconfirmed', cause: AWAY },
    ],
    ['that nothing claims are not reported as cached', false, { reason: 'timeout' }],
  ])('%s, while upstream is away', async (_, isClaimed, expected) => {
    const { statBlob } = blobs(() => Promise.reject(AWAY));
    const { cache, target } = await start({ statBlob });
    if (isClaimed) await claim(cache, target);
    await expect(cache.permission.ask(target, BLOB)).rejects.toMatchObject(expected);
    await cache[Symbol.asyncDispose]();
  });
});

describe('a question', () => {
  test.each<[string, HeldContent, 'blob' | 'confirm', 'manifest' | 'confirm']>([
    ['blob, for every question', BLOB, 'blob', 'confirm'],
    ['manifest, for confirmations only: GET may still give it', MANIFEST, 'confirm', 'manifest'],
  ])('that is refused is remembered about a %s', async (_, content, question, other) => {
    const no = (): Promise<never> => Promise.reject(ABSENT);
    const { cache, target } = await start({ statBlob: no, resolve: no });
    await expect(cache.permission.confirm(target, content)).rejects.toBe(ABSENT);
    const known = (name: typeof question | typeof other): boolean =>
      cache.negative.get(refusalKey(name, target.key, DIGEST)) !== undefined;
    expect([known(question), known(other)]).toEqual([true, false]);
    await expect(cache.permission.confirm(target, content)).rejects.toMatchObject({ wasAsked: false });
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['was refused, perhaps not by the registry', UNPROVEN],
    ['was not answered', AWAY],
  ])('that %s is asked again the next time, and drops no claim', async (_, error) => {
    const dropped: Digest[] = [];
    const dropClaim = async (__: unknown, digest: Digest): Promise<void> => void dropped.push(digest);
    const { statBlob, asked } = blobs(() => Promise.reject(error));
    const { cache, target } = await start({ statBlob }, { index: { dropClaim } });
    for (let times = 0; times < 2; times += 1) {
      await expect(cache.permission.confirm(target, BLOB)).rejects.toBe(error);
    }
    expect([asked.length, dropped]).toEqual([2, []]);
    await cache[Symbol.asyncDispose]();
  });

  test('that the registry refuses drops the claim, before the caller gets the refusal', async () => {
    const dropping = Promise.withResolvers<void>();
    const { statBlob } = blobs(() => Promise.reject(ABSENT));
    const { cache, target } = await start({ statBlob }, { index: { dropClaim: () => dropping.promise } });
    let told: unknown;
    const confirming = cache.permission.confirm(target, BLOB).catch((error: unknown) => (told = error));
    await turns();
    expect(told).toBeUndefined();
    dropping.resolve();
    await confirming;
    expect(told).toBe(ABSENT);
    await cache[Symbol.asyncDispose]();
  });

  test('whose refusal has been disproved meanwhile drops no claim', async () => {
    const dropped: Digest[] = [];
    const dropClaim = async (__: unknown, digest: Digest): Promise<void> => void dropped.push(digest);
    const { cache, target } = await start({}, { index: { dropClaim } });
    const mark = cache.negative.mark(target.key, DIGEST);
    cache.negative.disprove(target.key, DIGEST);
    await cache.permission.refused(target.key, DIGEST, ABSENT, mark);
    expect(dropped).toEqual([]);
    await cache.permission.refused(target.key, DIGEST, ABSENT, cache.negative.mark(target.key, DIGEST));
    expect(dropped).toEqual([DIGEST]);
    await cache[Symbol.asyncDispose]();
  });

  test('is shared by all callers, unless it may be given up', async () => {
    const answer = Promise.withResolvers<{ size: number; by: 'head' }>();
    const { statBlob, asked } = blobs(() => answer.promise);
    const { cache, target } = await start({ statBlob });
    const { signal } = new AbortController();
    const all = [{}, {}, { signal }].map((options) => cache.permission.confirm(target, BLOB, options));
    await turns();
    expect(asked).toEqual([undefined, signal]);
    answer.resolve({ size: SIZE, by: 'head' });
    expect(await Promise.all(all)).toEqual([true, true, true]);
    await cache[Symbol.asyncDispose]();
  });

  test('is answered once the confirmation is recorded', async () => {
    const recording = Promise.withResolvers<void>();
    const { statBlob } = blobs(() => Promise.resolve({ size: SIZE, by: 'head' }));
    const index = { putBelonging: () => recording.promise };
    const { cache, target } = await start({ statBlob }, { index });
    let isOver = false;
    const confirming = cache.permission.confirm(target, BLOB).then(() => (isOver = true));
    await turns();
    expect(isOver).toBe(false);
    recording.resolve();
    await confirming;
    await cache[Symbol.asyncDispose]();
  });

  const fetched = { digest: DIGEST, verified: true, bytes: BYTES } as unknown as FetchedManifest;
  test.each<[string, ResolvedManifest | undefined, FetchedManifest, boolean, number]>([
    ['HEAD tells just these bytes', TOLD, fetched, true, 0],
    ['HEAD tells nothing, and GET gives them', undefined, fetched, true, 1],
    ['HEAD tells another size, and GET gives them', { ...TOLD, size: 1 }, fetched, true, 1],
    ['GET gives others', undefined, { ...fetched, digest: digestOf('other') }, false, 1],
    ['GET gives what cannot be verified', undefined, { ...fetched, verified: false }, false, 1],
  ])('about a manifest: %s', async (_, told, given, expected, gets) => {
    let got = 0;
    const manifest = (): Promise<FetchedManifest> => {
      got += 1;
      return Promise.resolve(given);
    };
    const { cache, target } = await start({ resolve: () => Promise.resolve(told), manifest });
    expect(await cache.permission.confirm(target, MANIFEST)).toBe(expected);
    expect(got).toBe(gets);
    await cache[Symbol.asyncDispose]();
  });
});

describe('the answer to a tag’s HEAD', () => {
  test.each<[string, ResolvedManifest, boolean]>([
    ['confirms the cached manifest', TOLD, true],
    ['confirms nothing if the size is another', { ...TOLD, size: SIZE + 1 }, false],
    ['confirms nothing if it tells no size', { ...TOLD, size: undefined }, false],
  ])('%s', async (_, told, expected) => {
    const { cache, target } = await start();
    await cache.permission.noteTagHead(target, told);
    expect(await cache.belonging.has(target.key, DIGEST)).toBe(expected);
    await cache[Symbol.asyncDispose]();
  });

  test('confirms nothing of bytes that the upstream has not given', async () => {
    const { cache } = await start();
    const other = targetOf(new StubUpstream('other.test').upstream);
    await cache.permission.noteTagHead(other, TOLD);
    expect(await cache.belonging.has(other.key, DIGEST)).toBe(false);
    await cache[Symbol.asyncDispose]();
  });

  test('confirms nothing that is not cached', async () => {
    const { cache, target } = await start();
    const digest = digestOf('nowhere');
    await cache.index.putOrigin('registry.test', digest);
    await cache.permission.noteTagHead(target, { ...TOLD, digest });
    expect(await cache.belonging.has(target.key, digest)).toBe(false);
    await cache[Symbol.asyncDispose]();
  });

  test('disproves an earlier refusal', async () => {
    const { cache, target } = await start();
    const name = refusalKey('manifest', target.key, DIGEST);
    cache.negative.put(name, ABSENT);
    await cache.permission.noteTagHead(target, TOLD);
    expect(cache.negative.get(name)).toBeUndefined();
    await cache[Symbol.asyncDispose]();
  });

  test('needs no look-up if the manifest is known to be the repository’s', async () => {
    let lookedUp = 0;
    const blob = (): Promise<undefined> => Promise.resolve(void (lookedUp += 1));
    const { cache, target } = await start({}, { index: { blob } });
    await cache.belonging.add(target.key, DIGEST, 'given');
    await cache.permission.noteTagHead(target, TOLD);
    expect(lookedUp).toBe(0);
    await cache[Symbol.asyncDispose]();
  });

  test('is recorded before the caller goes on', async () => {
    const recording = Promise.withResolvers<void>();
    const { cache, target } = await start({}, { index: { putBelonging: () => recording.promise } });
    let isOver = false;
    const hearing = cache.permission.noteTagHead(target, TOLD).then(() => (isOver = true));
    await turns();
    expect(isOver).toBe(false);
    recording.resolve();
    await hearing;
    await cache[Symbol.asyncDispose]();
  });
});
