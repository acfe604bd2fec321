import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MemoryCache } from '../../../test/support/memory-cache.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import type { RememberingIndex } from '../../index/decorators/remembering-index.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseTag } from '../../oci/tag.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { FetchedManifest, ResolvedManifest, Upstream } from '../../upstream/upstream.ts';
import { ManifestPuller } from '../manifests/manifest-puller.ts';
import type { TagPolicy } from '../tag-policy.ts';
import { TagResolver } from './tag-resolver.ts';

const TAG = parseTag('latest');
const OLD = manifestOf('old');
const NEW = manifestOf('new');
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', {
  isVerdict: true,
  status: 404,
});
const UNPROVEN = new UpstreamError('registry.test', 'absent', 'not-found', 'a page', { status: 404 });

function manifestOf(name: string): FetchedManifest {
  const mediaType = MediaType.ociIndex;
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, manifests: [], annotations: { name } }),
  );
  return {
    bytes,
    mediaType,
    digest: digestOf(bytes),
    verified: true,
    content: parseManifest(bytes, mediaType),
  };
}

function headOf({ digest, mediaType, bytes }: FetchedManifest): ResolvedManifest {
  return { digest, mediaType, size: bytes.length };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

/** A policy by which a tag is fresh for a second, and served stale for a minute. */
async function start(policy: Partial<TagPolicy> = {}, index: Partial<RememberingIndex> = {}) {
  const cache = await MemoryCache.open({ index });
  const world = {
    heads: 0,
    gets: [] as string[],
    head: (): Promise<ResolvedManifest | undefined> => Promise.resolve(headOf(OLD)),
    manifest: OLD,
    gone: undefined as Error | undefined,
    remaining: undefined as number | undefined,
  };
  const resolve: Upstream['resolve'] = () => {
    world.heads += 1;
    return world.head();
  };
  const manifest: Upstream['manifest'] = async (_, { kind }) => {
    world.gets.push(kind);
    if (world.gone !== undefined) throw world.gone;
    return world.manifest;
  };
  const rateLimit = () =>
    world.remaining === undefined ? undefined : { limit: 100, remaining: world.remaining };
  const asked = targetOf({ ...new StubUpstream().upstream, resolve, manifest, rateLimit });
  const tags = { ...asked.tags, ttlMs: 1_000, staleForMs: 60_000, deadlineMs: 1_000, ...policy };
  const target = { ...asked, tags };
  const manifests = new ManifestPuller(cache);
  const resolver = new TagResolver({
    index: cache.index,
    manifests,
    permission: cache.permission,
    negative: cache.negative,
    clock: cache.clock,
    events: cache.events,
  });
  return { cache, world, target, manifests, resolver, ask: () => resolver.resolve(target, TAG) };
}

describe('a tag', () => {
  test('that is fresh has the headers that HEAD told for its digest', async () => {
    const { cache, world, resolver, target, ask } = await start();
    expect(await ask()).toMatchObject({ head: headOf(OLD), outcome: { hit: false, fwd: 'uri-miss' } });
    cache.clock.advance(400);
    const outcome = { hit: true, ttlMs: 600, ageMs: 400 };
    expect(await ask()).toEqual({ digest: OLD.digest, head: headOf(OLD), outcome });
    expect(resolver.resolveNow(target, TAG)).toEqual({ digest: OLD.digest, outcome });
    cache.clock.advance(600);
    expect([resolver.resolveNow(target, TAG), world.heads]).toEqual([undefined, 1]);
    await cache[Symbol.asyncDispose]();
  });

  test('has none of the headers that HEAD told for another digest', async () => {
    const { cache, target, ask } = await start();
    await ask();
    await cache.index.putTag(target.key, TAG, { digest: NEW.digest, checkedAt: cache.clock.now() });
    expect(await ask()).toMatchObject({ digest: NEW.digest, head: undefined, outcome: { hit: true } });
    await cache[Symbol.asyncDispose]();
  });

  test('that never changes is fresh, without an end of its freshness in the outcome', async () => {
    const { cache, ask } = await start({ isImmutable: () => true });
    await ask();
    cache.clock.advance(1_000);
    expect((await ask()).outcome).toEqual({ hit: true, ageMs: 1_000 });
    await cache[Symbol.asyncDispose]();
  });

  test('is resolved only after it is recorded', async () => {
    const recording = Promise.withResolvers<void>();
    const { cache, ask } = await start({}, { putTag: () => recording.promise });
    let isOver = false;
    const asking = ask().then(() => (isOver = true));
    await turns();
    expect(isOver).toBe(false);
    recording.resolve();
    await asking;
    await cache[Symbol.asyncDispose]();
  });

  test('that the registry does not know is dropped before the caller hears of it, and not asked for again at once', async () => {
    const dropping = Promise.withResolvers<void>();
    const { cache, world, ask } = await start({}, { deleteTag: () => dropping.promise });
    await ask();
    cache.clock.advance(1_000);
    world.head = () => Promise.reject(ABSENT);
    let told: unknown;
    const asking = ask().catch((error: unknown) => (told = error));
    await turns();
    expect(told).toBeUndefined();
    dropping.resolve();
    await asking;
    expect(told).toBe(ABSENT);
    await expect(ask()).rejects.toMatchObject({ wasAsked: false });
    expect(world.heads).toBe(2);
    await cache[Symbol.asyncDispose]();
  });

  test.each<[string, UpstreamError, Partial<TagPolicy>]>([
    ['the registry does not know it any more, but policy keeps it', ABSENT, { onDeleted: 'keep' }],
    ['an answer that may not be the registry’s says that there is none', UNPROVEN, {}],
    ['upstream is away', AWAY, {}],
  ])('is served stale, and kept, if %s', async (_, failure, policy) => {
    const { cache, world, target, ask } = await start(policy);
    await ask();
    cache.clock.advance(3_000);
    world.head = () => Promise.reject(failure);
    expect(await ask()).toMatchObject({
      digest: OLD.digest,
      outcome: { hit: false, fwd: 'stale', ttlMs: -2_000, ageMs: 3_000, detail: failure.reason },
    });
    expect(await cache.index.tag(target.key, TAG)).toBeDefined();
    await cache[Symbol.asyncDispose]();
  });

  test('that is too old is not served while upstream is away', async () => {
    const { cache, world, ask } = await start();
    await ask();
    cache.clock.advance(61_000);
    world.head = () => Promise.reject(AWAY);
    await expect(ask()).rejects.toBe(AWAY);
    await cache[Symbol.asyncDispose]();
  });

  test('is served stale while its upstream is slow, which ends with any answer, even a refusal', async () => {
    const { cache, world, target, resolver, ask } = await start();
    await ask();
    cache.clock.advance(2_000);
    const answer = Promise.withResolvers<ResolvedManifest>();
    world.head = () => answer.promise;
    const asking = ask();
    await turns();
    cache.clock.advance(1_000);
    expect(await asking).toMatchObject({ digest: OLD.digest, outcome: { fwd: 'stale', detail: 'timeout' } });
    expect(resolver.isSlow(target.key.registry)).toBe(true);
    answer.reject(ABSENT);
    await turns();
    expect(resolver.isSlow(target.key.registry)).toBe(false);
    await cache[Symbol.asyncDispose]();
  });
});

describe('a tag that has moved', () => {
  async function moved(policy: Partial<TagPolicy> = {}) {
    const started = await start(policy);
    const { cache, world, resolver, target, ask } = started;
    await resolver.pull(target, TAG, await ask());
    cache.clock.advance(2_000);
    world.head = () => Promise.resolve(headOf(NEW));
    world.manifest = NEW;
    world.gets = [];
    return started;
  }

  test('is resolved once its new manifest is cached', async () => {
    const { cache, world, manifests, ask } = await moved();
    expect(await ask()).toMatchObject({ digest: NEW.digest, head: headOf(NEW), outcome: { fwd: 'stale' } });
    expect(world.gets).toEqual(['digest']);
    expect(await manifests.local('registry.test', NEW.digest)).toBeDefined();
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['its new digest if more pulls are left than are reserved', 11, NEW.digest],
    ['its old digest if only the reserved pulls are left', 10, OLD.digest],
    ['its new digest if upstream does not tell how many are left', undefined, NEW.digest],
  ])('is resolved to %s', async (_, remaining, expected) => {
    const { cache, world, ask } = await moved({ quotaReserve: 10 });
    world.remaining = remaining;
    expect((await ask()).digest).toBe(expected);
    await cache[Symbol.asyncDispose]();
  });

  test('keeps its old digest if upstream gives the new manifest neither by digest nor by tag', async () => {
    const { cache, world, target, ask } = await moved();
    world.gone = ABSENT;
    expect(await ask()).toMatchObject({ digest: OLD.digest, outcome: { fwd: 'stale', detail: 'not-found' } });
    expect(world.gets).toEqual(['digest', 'tag']);
    expect(await cache.index.tag(target.key, TAG)).toMatchObject({ digest: OLD.digest });
    await cache[Symbol.asyncDispose]();
  });

  test('is reported with its old and its new digest', async () => {
    const { cache, ask } = await moved();
    const told: unknown[] = [];
    cache.events.subscribe((event) => told.push(event));
    await ask();
    expect(told).toContainEqual(
      expect.objectContaining({ kind: 'tag-moved', tag: TAG, from: OLD.digest, to: NEW.digest }),
    );
    await cache[Symbol.asyncDispose]();
  });
});
