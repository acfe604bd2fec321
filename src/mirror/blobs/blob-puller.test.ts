import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { CONFIRMED, HIT } from '../../repository/outcome.ts';
import { StoreError } from '../../store/error.ts';
import { HeldStore } from '../../store/held-store.ts';
import { readWhole } from '../../store/read-whole.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { BlobPuller } from './blob-puller.ts';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);
/** Content that is too large for the memory of small blobs. */
const LARGE = Buffer.alloc(70_000, 'x');
const WHOLE = { range: undefined, client: 'client' };
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');
const UNREADABLE = new StoreError('open a blob', { code: 'EMFILE' });

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

describe('HEAD of a blob', () => {
  test('that is stored and the repository’s is answered without upstream', async () => {
    await using cache = await MemoryCache.open();
    await cache.keep(DIGEST, BYTES);
    const upstream = new HeldUpstream(BYTES.length);
    await cache.belonging.add(upstream.target().key, DIGEST, 'given');
    const stat = await new BlobPuller(cache).stat(upstream.target(), DIGEST, 'client');
    expect([stat, upstream.questions]).toEqual([{ size: BYTES.length, outcome: HIT }, 0]);
  });

  test('that is stored, but that upstream’s word cannot confirm, is asked of upstream', async () => {
    await using cache = await MemoryCache.open();
    await cache.keep(DIGEST, BYTES);
    const upstream = new HeldUpstream(BYTES.length);
    const stat = await new BlobPuller(cache).stat(upstream.target(), DIGEST, 'client');
    expect(stat).toEqual({ size: BYTES.length, outcome: { hit: false, fwd: 'uri-miss' } });
    expect(upstream.questions).toBe(1);
  });

  test('that is being fetched for the repository is answered by its fill', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const { reader } = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const stat = await blobs.stat(upstream.target(), DIGEST, 'other client');
    expect([stat, upstream.questions]).toEqual([{ size: BYTES.length, outcome: HIT }, 0]);
    await reader.close();
    await blobs.close();
  });

  test('that is being fetched for another repository is asked of upstream, and has the size of its fill', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length, 'none');
    const blobs = new BlobPuller(cache);
    const { reader } = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const stat = await blobs.stat(upstream.target('acme/other'), DIGEST, 'client');
    expect([stat, upstream.questions]).toEqual([{ size: BYTES.length, outcome: CONFIRMED }, 1]);
    await reader.close();
    await blobs.close();
  });

  test('that is being fetched for another repository, and is known to be this one’s, is answered by its fill', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const { reader } = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const other = upstream.target('acme/other');
    await cache.belonging.add(other.key, DIGEST, 'given');
    expect(await blobs.stat(other, DIGEST, 'client')).toEqual({ size: BYTES.length, outcome: HIT });
    expect(upstream.questions).toBe(0);
    await reader.close();
    await blobs.close();
  });

  test('whose size upstream does not tell has the size that a manifest tells', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(undefined);
    const target = upstream.target();
    const descriptor = { mediaType: MediaType.ociManifest, digest: digestOf('manifest'), size: 500 };
    const edge = { role: 'layer', digest: DIGEST, size: 123, mediaType: '' } as const;
    await cache.index.putManifest(target.key, { descriptor, subject: undefined }, [edge]);
    const stat = await new BlobPuller(cache).stat(target, DIGEST, 'client');
    expect(stat).toEqual({ size: 123, outcome: { hit: false, fwd: 'uri-miss' } });
  });

  test.each([
    ['refused is refused again for a while without upstream', ABSENT, 1],
    ['not answered is asked anew', AWAY, 2],
  ])('that was %s', async (_, denial, expected) => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    upstream.denial = denial;
    const blobs = new BlobPuller(cache);
    for (let times = 0; times < 2; times += 1) {
      await expect(blobs.stat(upstream.target(), DIGEST, 'client')).rejects.toMatchObject({
        failure: denial.failure,
      });
    }
    expect(upstream.questions).toBe(expected);
  });
});

describe('a blob', () => {
  test('that is stored and the repository’s is served, and counts as used', async () => {
    const used: Digest[] = [];
    const touch = async (uses: ReadonlyMap<Digest, number>): Promise<void> => void used.push(...uses.keys());
    await using cache = await MemoryCache.open({ index: { touch } });
    await cache.keep(DIGEST, BYTES);
    const upstream = new HeldUpstream(BYTES.length);
    await cache.belonging.add(upstream.target().key, DIGEST, 'given');
    const { reader, outcome } = await new BlobPuller(cache).open(upstream.target(), DIGEST, WHOLE);
    expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
    await cache.lastUse.flush();
    expect([outcome, upstream.asked, used]).toEqual([HIT, [], [DIGEST]]);
  });

  test('that is stored, and only its bytes can prove that it may be served, is not kept open beside its fill', async () => {
    let held: HeldStore | undefined;
    await using cache = await MemoryCache.open({
      store: (store) => {
        held = new HeldStore(store);
        return { open: (digest) => held!.open(digest) };
      },
    });
    const digest = digestOf(LARGE);
    await cache.keep(digest, LARGE);
    const upstream = new HeldUpstream(LARGE.length);
    const blobs = new BlobPuller(cache);
    const { reader, outcome } = await blobs.open(upstream.target(), digest, WHOLE);
    expect([held?.held, upstream.asked, outcome.hit]).toEqual([[], [undefined], false]);
    upstream.send(LARGE);
    expect(digestOf(await readWhole(reader))).toBe(digest);
    const again = await blobs.open(upstream.target(), digest, WHOLE);
    expect([held?.held, again.outcome]).toEqual([[digest], HIT]);
    await again.reader.close();
    expect(held?.held).toEqual([]);
  });

  test('that was stored while the store was asked for it is not fetched again', async () => {
    const asking = Promise.withResolvers<void>();
    let isFirst = true;
    await using cache = await MemoryCache.open({
      store: (store) => ({
        async open(digest) {
          const [reader, isHeldUp] = [await store.open(digest), isFirst];
          isFirst = false;
          if (isHeldUp) await asking.promise;
          return reader;
        },
      }),
    });
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const opening = blobs.open(upstream.target(), DIGEST, WHOLE);
    const other = await blobs.open(upstream.target(), DIGEST, WHOLE);
    upstream.send(BYTES);
    await readWhole(other.reader);
    await expect.poll(() => blobs.fills.size).toBe(0);
    asking.resolve();
    const { reader, outcome } = await opening;
    expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
    expect([upstream.asked, outcome]).toEqual([[undefined], HIT]);
  });

  test.each([
    ['refused is refused again for a while without upstream', ABSENT, 1],
    ['not given for another reason is asked for anew', AWAY, 2],
  ])('that was %s', async (_, refusal, expected) => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    upstream.refusal = refusal;
    const blobs = new BlobPuller(cache);
    for (let times = 0; times < 2; times += 1) {
      await expect(blobs.open(upstream.target(), DIGEST, WHOLE)).rejects.toMatchObject({
        failure: refusal.failure,
      });
    }
    expect(upstream.asked).toHaveLength(expected);
    upstream.refusal = undefined;
    // The refusal of one digest is no refusal of another one.
    const other = await blobs.open(upstream.target(), digestOf('another layer'), WHOLE);
    await other.reader.close();
    await blobs.close();
  });

  test('that upstream refuses loses its claim', async () => {
    const dropped: Digest[] = [];
    const dropClaim = async (_: unknown, digest: Digest): Promise<void> => void dropped.push(digest);
    await using cache = await MemoryCache.open({ index: { dropClaim } });
    const upstream = new HeldUpstream(BYTES.length);
    upstream.refusal = ABSENT;
    await expect(new BlobPuller(cache).open(upstream.target(), DIGEST, WHOLE)).rejects.toBe(ABSENT);
    await turns();
    expect(dropped).toEqual([DIGEST]);
  });

  test('comes past the store while the disk is known to fail', async () => {
    await using cache = await MemoryCache.open();
    cache.disk.failed(new StoreError('write', { code: 'ENOSPC' }), 1);
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const { reader, outcome } = await blobs.open(upstream.target(), DIGEST, WHOLE);
    expect(outcome).toMatchObject({ stored: false, detail: 'store: ENOSPC' });
    upstream.send(BYTES);
    expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
    expect([blobs.fills.size, upstream.asked]).toEqual([0, [undefined]]);
    await cache.disk.close();
  });

  /** Returns a cache whose store fails in one way, and the events about it. */
  async function failing(method: 'open' | 'stat'): Promise<{ cache: MemoryCache; told: string[] }> {
    const cache = await MemoryCache.open({
      store: () => ({ [method]: () => Promise.reject(UNREADABLE) }),
    });
    const told: string[] = [];
    cache.events.subscribe((event) => void (event.kind === 'store-failed' && told.push(event.operation)));
    return { cache, told };
  }

  test('that the store cannot open comes from upstream', async () => {
    const { cache, told } = await failing('open');
    await using _ = cache;
    const upstream = new HeldUpstream(BYTES.length);
    const { reader } = await new BlobPuller(cache).open(upstream.target(), DIGEST, WHOLE);
    upstream.send(BYTES);
    expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
    expect(told).toEqual(['open a blob']);
  });

  test('that the store cannot look up is looked up upstream', async () => {
    const { cache, told } = await failing('stat');
    await using _ = cache;
    const upstream = new HeldUpstream(BYTES.length);
    const stat = await new BlobPuller(cache).stat(upstream.target(), DIGEST, 'client');
    expect(stat).toMatchObject({ size: BYTES.length });
    expect(told).toEqual(['look up a blob']);
  });

  test('comes past a store that takes no byte of it', async () => {
    await using cache = await MemoryCache.open({
      store: () => ({ ingest: () => Promise.reject(UNREADABLE) }),
    });
    const upstream = new HeldUpstream(BYTES.length);
    const { reader, outcome } = await new BlobPuller(cache).open(upstream.target(), DIGEST, WHOLE);
    expect(outcome).toMatchObject({ stored: false, detail: 'store: EMFILE' });
    upstream.send(BYTES);
    expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
  });
});

test('closing waits for the end of every fill', async () => {
  await using cache = await MemoryCache.open();
  const upstream = new HeldUpstream(BYTES.length);
  const blobs = new BlobPuller(cache);
  const { reader } = await blobs.open(upstream.target(), DIGEST, WHOLE);
  await reader.close();
  await blobs.close();
  expect([blobs.fills.size, upstream.bodies[0]?.destroyed, cache.clock.pending]).toEqual([0, true, 0]);
});
