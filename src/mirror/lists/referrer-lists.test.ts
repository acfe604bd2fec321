import { describe, expect, test } from 'vitest';
import { MemoryCache } from '../../../test/support/memory-cache.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import { createEvents } from '../../events.ts';
import type { ContentIndex } from '../../index/content-index.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { Parser } from '../../upstream/registry/parsing/parser.ts';
import { ReferrerLists } from './referrer-lists.ts';
import type { Target } from '../target.ts';

/** Returns how often upstream is asked for a list of one descriptor that is requested twice. */
async function askedTwice(annotation: string): Promise<number> {
  let asked = 0;
  const descriptor = {
    mediaType: MediaType.ociManifest,
    digest: digestOf('signature'),
    size: 7,
    annotations: { annotation },
  };
  const referrers = (): Promise<readonly (typeof descriptor)[]> => {
    asked += 1;
    return Promise.resolve([descriptor]);
  };
  const lists = new ReferrerLists({
    index: {} as ContentIndex,
    manifests: { cached: () => Promise.resolve(undefined) },
    clock: new ManualClock(),
    events: createEvents(),
    ttlMs: 1000,
    memoryBytes: 1000,
  });
  const key = { upstream: 'registry.test', repository: parseRepositoryName('acme/app') };
  const upstream = { ...new StubUpstream().upstream, referrers };
  const target = { upstream, key, tags: {} } as unknown as Target;
  for (let i = 0; i < 2; i += 1) {
    const { descriptors } = await lists.list(target, digestOf('subject'));
    expect(descriptors).toEqual([descriptor]);
  }
  return asked;
}

test('a list is kept in memory by its bytes, not by how many descriptors it has', async () => {
  expect(await askedTwice('short')).toBe(1);
  expect(await askedTwice('x'.repeat(1000))).toBe(2);
  // Three bytes each.
  expect(await askedTwice('\u20ac'.repeat(400))).toBe(2);
});

const SUBJECT = digestOf('subject');
const SIGNATURE: Descriptor = { mediaType: MediaType.ociManifest, digest: digestOf('signature'), size: 7 };
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const DENIED = new UpstreamError('registry.test', 'denied', 'unauthorized', 'no', { isVerdict: true });
const UNPROVEN = new UpstreamError('registry.test', 'absent', 'not-found', 'a page');
const BUG = new TypeError('a bug');
const MiB = 1024 * 1024;

interface Changes {
  readonly index?: Partial<ContentIndex>;
  readonly cached?: string;
  readonly parser?: Parser;
}

async function start({ index, cached, parser }: Changes = {}) {
  const cache = await MemoryCache.open();
  const world = { asked: 0, list: [SIGNATURE], failure: undefined as Error | undefined };
  const referrers = async (): Promise<readonly Descriptor[]> => {
    world.asked += 1;
    if (world.failure !== undefined) throw world.failure;
    return world.list;
  };
  const target = targetOf({ ...new StubUpstream().upstream, referrers });
  const { clock, events } = cache;
  const manifest = cached && { digest: digestOf(cached), mediaType: '', bytes: Buffer.from(cached) };
  const lists = new ReferrerLists({
    index: { ...cache.index, ...index },
    manifests: { cached: () => Promise.resolve(manifest === '' ? undefined : manifest) },
    clock,
    events,
    parser,
    ttlMs: 1_000,
  });
  return { cache, world, target, lists, list: (of: Target = target) => lists.list(of, SUBJECT) };
}

describe('the list of referrers', () => {
  test('is asked for once in its time to live, and again once it is forgotten', async () => {
    const { cache, world, lists, list } = await start();
    for (let times = 0; times < 2; times += 1) await list();
    expect(world.asked).toBe(1);
    lists.forget();
    await list();
    expect(world.asked).toBe(2);
    await cache[Symbol.asyncDispose]();
  });

  test('is asked for again by a client that takes no older answer', async () => {
    const { cache, world, target, list } = await start();
    await list();
    cache.clock.advance(500);
    await list({ ...target, maxAgeMs: 501 });
    expect(world.asked).toBe(1);
    await list({ ...target, maxAgeMs: 500 });
    expect(world.asked).toBe(2);
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['a little less is kept', 31 * MiB, 1],
    ['more is not', 33 * MiB, 2],
  ])('takes 32 MiB of memory in all lists: %s', async (_, size, expected) => {
    const { cache, world, list } = await start();
    world.list = [{ ...SIGNATURE, annotations: { note: 'x'.repeat(size) } }];
    for (let times = 0; times < 2; times += 1) await list();
    expect(world.asked).toBe(expected);
    await cache[Symbol.asyncDispose]();
  });

  test('is empty if the registry does not know the manifest', async () => {
    const { cache, world, list } = await start();
    world.failure = ABSENT;
    expect(await list()).toMatchObject({ descriptors: [], outcome: { fwd: 'uri-miss' } });
    await cache[Symbol.asyncDispose]();
  });

  test.each([AWAY, UNPROVEN])('is the last list known if upstream fails: %s', async (failure) => {
    const { cache, world, list } = await start();
    await list();
    cache.clock.advance(5_000);
    world.failure = failure;
    expect(await list()).toMatchObject({ descriptors: [SIGNATURE], outcome: { fwd: 'stale', ageMs: 5_000 } });
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['the registry denies it', DENIED],
    ['an error of ours keeps it away', BUG],
  ])('is not given, known or cached, if %s', async (_, failure) => {
    const { cache, world, lists, list } = await start({
      index: { referrers: () => Promise.resolve([SIGNATURE]) },
    });
    await list();
    cache.clock.advance(5_000);
    world.failure = failure;
    await expect(list()).rejects.toBe(failure);
    lists.forget();
    await expect(list()).rejects.toBe(failure);
    await cache[Symbol.asyncDispose]();
  });
});

describe('if upstream fails, and no list is known', () => {
  const INDEX = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [SIGNATURE] });
  const tag = (): ReturnType<ContentIndex['tag']> =>
    Promise.resolve({ digest: digestOf(INDEX), checkedAt: 1 });
  const other: Descriptor = { ...SIGNATURE, digest: digestOf('other') };
  const referrers = (): Promise<Descriptor[]> => Promise.resolve([other]);
  const fails = (): Promise<never> => Promise.reject(new Error('busy'));

  test.each<[string, Changes, readonly Descriptor[]]>([
    ['by their subject', { index: { referrers } }, [other]],
    ['by the tag that names it', { index: { tag }, cached: INDEX }, [SIGNATURE]],
    ['by both', { index: { tag, referrers }, cached: INDEX }, [SIGNATURE, other]],
    ['by their subject, though the tag is not here', { index: { tag, referrers } }, [other]],
    ['by their subject, though the tag cannot be looked up', { index: { tag: fails, referrers } }, [other]],
    [
      'by the tag, though they cannot be looked up',
      { index: { tag, referrers: fails }, cached: INDEX },
      [SIGNATURE],
    ],
    [
      'by their subject, though the list cannot be read',
      { index: { tag, referrers }, cached: INDEX, parser: { run: fails } },
      [other],
    ],
    ['by their subject, though the list is malformed', { index: { tag, referrers }, cached: '[' }, [other]],
  ])('cached referrers are listed: %s', async (_, changes, descriptors) => {
    const { cache, world, list } = await start(changes);
    world.failure = AWAY;
    expect(await list()).toMatchObject({
      descriptors,
      outcome: {
        hit: false,
        fwd: 'stale',
        detail: 'timeout',
        warning: 'only the referrers that are cached, since registry.test: no answer',
      },
    });
    await cache[Symbol.asyncDispose]();
  });

  test('the failure is passed on if no referrer is cached', async () => {
    const { cache, world, list } = await start();
    world.failure = AWAY;
    await expect(list()).rejects.toBe(AWAY);
    await cache[Symbol.asyncDispose]();
  });
});
