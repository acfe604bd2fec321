import { setImmediate } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import type { LarderEvent } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import { IndexError } from '../../index/error.ts';
import { MediaType } from '../../oci/media-type.ts';
import type { BlobStore, Expected, Ingest } from '../../store/blob-store.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { FillClients } from '../fill-clients.ts';
import { Fill } from './fill.ts';
import type { FillOptions } from './fill-options.ts';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);
const FULL = new StoreError('write a blob', { code: 'ENOSPC' });
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

/** Returns a store that passes each of its ingests through `change`, and adds what it is asked for to `asked`. */
function ingesting(change: (ingest: Ingest) => void, asked: Expected[] = []) {
  return (store: BlobStore): Partial<BlobStore> => ({
    async ingest(expected) {
      asked.push(expected);
      const ingest = await store.ingest(expected);
      change(ingest);
      return ingest;
    },
  });
}

function eventsOf(cache: MemoryCache): LarderEvent[] {
  const told: LarderEvent[] = [];
  cache.events.subscribe((event) => told.push(event));
  return told;
}

function begin(cache: MemoryCache, upstream: HeldUpstream, more: Partial<FillOptions> = {}) {
  const audience = new FillClients();
  const leave = audience.enter('client');
  const { belonging, store, index, disk, clock, events } = cache;
  const options = { belonging, store, index, disk, clock, events, ...more };
  return { fill: new Fill(upstream.target(), DIGEST, audience, options), audience, leave };
}

describe('a fill reports', () => {
  test('that it has begun, and that all is stored', async () => {
    await using cache = await MemoryCache.open();
    const told = eventsOf(cache);
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    await fill.opened;
    expect([fill.offset, fill.size, fill.isKept]).toEqual([0, BYTES.length, true]);
    upstream.send(BYTES);
    await fill.ended;
    const blob = { upstream: 'registry.test', digest: DIGEST };
    expect(told).toEqual([
      { kind: 'fill-started', ...blob },
      { kind: 'fill-ended', ...blob, outcome: 'stored', bytes: BYTES.length },
    ]);
    expect([fill.offset, cache.clock.pending]).toEqual([BYTES.length, 0]);
  });

  test('that upstream has failed, and nothing of the disk or of wrong bytes', async () => {
    await using cache = await MemoryCache.open();
    const told = eventsOf(cache);
    const upstream = new HeldUpstream(BYTES.length);
    upstream.refusal = AWAY;
    const { fill } = begin(cache, upstream);
    await fill.ended;
    expect(told.slice(1)).toMatchObject([{ kind: 'fill-ended', outcome: 'failed', bytes: 0, error: AWAY }]);
    expect([cache.disk.error, fill.isWorthRetrying, fill.hasOpened]).toEqual([undefined, false, false]);
    await expect(fill.opened).rejects.toBe(AWAY);
  });

  test('that it was given up', async () => {
    await using cache = await MemoryCache.open();
    const told = eventsOf(cache);
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    await fill.opened;
    fill.cancel();
    await fill.ended;
    expect(told.at(-1)).toMatchObject({ kind: 'fill-ended', outcome: 'abandoned' });
    expect([upstream.bodies[0]?.destroyed, cache.clock.pending]).toEqual([true, 0]);
    await expect(fill.follow('late')).rejects.toMatchObject({ reason: 'cancelled' });
  });

  test('of wrong bytes, and does not begin anew: one answer would be as wrong again', async () => {
    await using cache = await MemoryCache.open();
    const told = eventsOf(cache);
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    await fill.opened;
    upstream.send(Buffer.from('another'));
    await fill.ended;
    const error = expect.any(VerificationError) as unknown;
    expect(told.slice(1)).toMatchObject([
      { kind: 'verification-failed', digest: DIGEST, error },
      { kind: 'fill-ended', outcome: 'failed', error },
    ]);
    expect(fill.isWorthRetrying).toBe(false);
  });

  test('once that the disk is full, as soon as it is, and how much had no room', async () => {
    await using cache = await MemoryCache.open({
      store: ingesting((ingest) => {
        ingest.write = async () => {
          await ingest.abort(FULL);
          throw FULL;
        };
      }),
    });
    const told = eventsOf(cache);
    const failed = vi.spyOn(cache.disk, 'failed');
    const upstream = new HeldUpstream(BYTES.length);
    const { fill, leave } = begin(cache, upstream);
    await fill.opened;
    upstream.bodies[0]?.push([Buffer.from('a')]);
    await fill.settled;
    await turns();
    expect(told.slice(1).map(({ kind }) => kind)).toEqual(['disk-changed', 'store-failed']);
    expect([fill.isKept, fill.isBoardable, fill.isCancelled]).toEqual([false, false, false]);
    // No client reads what is passed on: the fill is given up at once.
    leave();
    expect(fill.isCancelled).toBe(true);
    await fill.ended;
    expect(failed.mock.calls).toEqual([[FULL, BYTES.length]]);
    expect(told.filter(({ kind }) => kind === 'store-failed')).toHaveLength(1);
    await cache.disk.close();
  });
});

describe('a fill', () => {
  test('cannot be followed before it has opened', async () => {
    await using cache = await MemoryCache.open();
    const { fill } = begin(cache, new HeldUpstream(BYTES.length));
    await expect(fill.follow('client')).rejects.toThrow('has not been opened');
    fill.cancel();
    await fill.ended;
  });

  test('without a follower is given up after ten seconds', async () => {
    await using cache = await MemoryCache.open();
    const { fill } = begin(cache, new HeldUpstream(1024 ** 3));
    await fill.opened;
    cache.clock.advance(9_999);
    expect(fill.isCancelled).toBe(false);
    cache.clock.advance(1);
    expect(fill.isCancelled).toBe(true);
    await fill.ended;
  });

  test('goes on from another repository that it was boarded for', async () => {
    await using cache = await MemoryCache.open();
    const [upstream, other] = [new HeldUpstream(BYTES.length), new HeldUpstream(BYTES.length)];
    const { fill } = begin(cache, upstream);
    await fill.opened;
    fill.join(other.target('acme/other'));
    upstream.bodies[0]?.push([Uint8Array.from(BYTES.subarray(0, 2))]);
    await expect.poll(() => fill.offset).toBe(2);
    upstream.bodies[0]?.destroy(AWAY);
    await expect.poll(() => other.asked).toEqual([{ start: 2, end: undefined }]);
    other.send(BYTES.subarray(2));
    await fill.ended;
    // The bytes were put together from two repositories: neither of them has given them alone.
    const sources = await Promise.all(
      ['acme/app', 'acme/other'].map((name) => cache.index.standing(upstream.target(name).key, DIGEST)),
    );
    expect(sources).toMatchObject([{ isFromUpstream: true }, { source: 'confirmed', isFromUpstream: true }]);
    expect(sources[0]?.source).toBeUndefined();
  });

  test('whose bytes all came through its repository is recorded as given for that', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    await fill.opened;
    fill.join(upstream.target());
    upstream.send(BYTES);
    await fill.ended;
    const standing = await cache.index.standing(upstream.target().key, DIGEST);
    expect(standing).toMatchObject({ source: 'given', isFromUpstream: true });
    expect(await cache.index.blob(DIGEST)).toMatchObject({ size: BYTES.length });
  });

  test.each(['putBelonging', 'putBlob'] as const)('has not ended before %s has', async (write) => {
    const writing = Promise.withResolvers<void>();
    await using cache = await MemoryCache.open({ index: { [write]: () => writing.promise } });
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    let isOver = false;
    void fill.ended.then(() => (isOver = true));
    await fill.opened;
    upstream.send(BYTES);
    await turns();
    expect([fill.offset, isOver]).toEqual([BYTES.length, false]);
    writing.resolve();
    await fill.ended;
  });

  test('that the index cannot record is reported, and its bytes are not kept', async () => {
    const failure = new IndexError('the index is full', 'SQLITE_FULL');
    await using cache = await MemoryCache.open({ index: { putBlob: () => Promise.reject(failure) } });
    const told = eventsOf(cache);
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    await fill.opened;
    upstream.send(BYTES);
    await fill.ended;
    expect(told).toContainEqual({ kind: 'store-failed', operation: 'fill', error: failure });
    expect([await cache.store.stat(DIGEST), cache.disk.error]).toEqual([undefined, failure]);
    await cache.disk.close();
  });

  test('for which the store opens no ingest leaves no transfer behind', async () => {
    await using cache = await MemoryCache.open({ store: () => ({ ingest: () => Promise.reject(FULL) }) });
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    await fill.ended;
    expect(upstream.bodies[0]?.destroyed).toBe(true);
    await cache.disk.close();
  });

  test('ends with an error of ours, which its followers get: nothing is relayed', async () => {
    const bug = new TypeError('a bug');
    await using cache = await MemoryCache.open({
      store: ingesting((ingest) => {
        ingest.write = () => Promise.reject(bug);
      }),
    });
    const upstream = new HeldUpstream(BYTES.length);
    const { fill } = begin(cache, upstream);
    await fill.opened;
    const reader = await fill.follow('client');
    upstream.bodies[0]?.push([Buffer.from('a')]);
    await expect(reader.available(0)).rejects.toBe(bug);
    await fill.ended;
    expect([fill.isBoardable, cache.clock.pending]).toEqual([true, 0]);
    await reader.close();
  });

  test('that has failed has not ended before its ingest has', async () => {
    const aborting = Promise.withResolvers<void>();
    await using cache = await MemoryCache.open({
      store: ingesting((ingest) => {
        const abort = ingest.abort.bind(ingest);
        ingest.abort = async (reason) => {
          await aborting.promise;
          await abort(reason);
        };
      }),
    });
    const { fill } = begin(cache, new HeldUpstream(BYTES.length));
    let isOver = false;
    void fill.ended.then(() => (isOver = true));
    await fill.opened;
    fill.cancel();
    await turns();
    expect(isOver).toBe(false);
    aborting.resolve();
    await fill.ended;
  });

  test('that the store has refused writes no more, and takes no more from upstream than is read', async () => {
    let writes = 0;
    await using cache = await MemoryCache.open({
      store: ingesting((ingest) => {
        ingest.write = async () => {
          writes += 1;
          await ingest.abort(FULL);
          throw FULL;
        };
      }),
    });
    const upstream = new HeldUpstream(BYTES.length);
    const { fill, leave } = begin(cache, upstream);
    await fill.opened;
    const pieces = [BYTES.subarray(0, 1), BYTES.subarray(1, 2), BYTES.subarray(2)];
    for (const piece of pieces) upstream.bodies[0]?.push([Uint8Array.from(piece)]);
    await fill.settled;
    await turns();
    expect([writes, upstream.bodies[0]?.readableLength]).toEqual([1, 2]);
    const source = await fill.joinRelay('client', 0, () => Promise.reject(AWAY));
    const given: Uint8Array[] = [];
    upstream.bodies[0]?.push(null);
    for await (const part of source!.pieces()) given.push(...part);
    expect([Buffer.concat(given).toString(), writes]).toEqual(['a layer', 1]);
    leave();
    await fill.ended;
    await cache.disk.close();
  });
});

describe('a fill that there is no room for', () => {
  test('is not announced to the store, and passed on', async () => {
    const asked: Expected[] = [];
    await using cache = await MemoryCache.open({ store: ingesting(() => {}, asked) });
    const upstream = new HeldUpstream(BYTES.length);
    const { fill, leave } = begin(cache, upstream, { room: () => Promise.resolve(0) });
    await fill.opened;
    expect([asked, fill.isKept]).toEqual([[{ digest: DIGEST, size: undefined }], false]);
    upstream.send(BYTES);
    await fill.settled;
    expect(cache.disk.error).toBeUndefined();
    leave();
    fill.cancel();
    await fill.ended;
  });

  test('is announced with its whole size if there is room', async () => {
    const asked: Expected[] = [];
    await using cache = await MemoryCache.open({ store: ingesting(() => {}, asked) });
    const { fill } = begin(cache, new HeldUpstream(BYTES.length), { room: () => Promise.resolve(1) });
    await fill.opened;
    expect(asked).toEqual([{ digest: DIGEST, size: BYTES.length }]);
    fill.cancel();
    await fill.ended;
  });
});

describe('the size that a manifest tells', () => {
  async function described(size: number): Promise<MemoryCache> {
    const cache = await MemoryCache.open();
    const { key } = new HeldUpstream(1).target();
    const descriptor = { mediaType: MediaType.ociManifest, digest: digestOf('manifest'), size: 500 };
    const edge = { role: 'layer', digest: DIGEST, size, mediaType: '' } as const;
    await cache.index.putManifest(key, { descriptor, subject: undefined }, [edge]);
    return cache;
  }

  test.each([
    ['counts if upstream tells none', undefined, {}, BYTES.length],
    ['does not count if upstream tells one', 9, {}, 9],
    ['does not count if it has just been wrong', undefined, { isRetry: true }, undefined],
  ])('%s', async (_, told, more, expected) => {
    await using cache = await described(BYTES.length);
    const { fill } = begin(cache, new HeldUpstream(told), more);
    await fill.opened;
    expect(fill.size).toBe(expected);
    fill.cancel();
    await fill.ended;
  });

  test('is a reason to begin anew if it was wrong', async () => {
    await using cache = await described(BYTES.length + 1);
    const upstream = new HeldUpstream(undefined);
    const { fill } = begin(cache, upstream);
    await fill.opened;
    upstream.send(BYTES);
    await fill.ended;
    expect(fill.isWorthRetrying).toBe(true);
  });
});
