import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import { digestOf } from '../../oci/digest.ts';
import { HIT } from '../../repository/outcome.ts';
import { StoreError } from '../../store/error.ts';
import { readWhole } from '../../store/read-whole.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { BlobPuller } from './blob-puller.ts';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);
const WHOLE = { range: undefined, client: 'client' };
const OTHER = 'acme/other';
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

describe('a client of another repository', () => {
  test('boards once upstream has confirmed the blob for it, and that is known when all is here', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const first = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const second = await blobs.open(upstream.target(OTHER), DIGEST, WHOLE);
    expect(second.outcome).toMatchObject({ collapsed: true });
    expect(await cache.belonging.has(upstream.target(OTHER).key, DIGEST)).toBe(false);
    upstream.send(BYTES);
    for (const { reader } of [first, second]) expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
    await expect.poll(() => blobs.fills.size).toBe(0);
    const again = await blobs.open(upstream.target(OTHER), DIGEST, WHOLE);
    expect([again.outcome, upstream.questions, upstream.asked]).toEqual([HIT, 1, [undefined]]);
    await again.reader.close();
  });

  test('boards at once if the blob is known to be its repository’s', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const first = await blobs.open(upstream.target(), DIGEST, WHOLE);
    await cache.belonging.add(upstream.target(OTHER).key, DIGEST, 'given');
    const second = await blobs.open(upstream.target(OTHER), DIGEST, WHOLE);
    expect([second.outcome.collapsed, upstream.questions, upstream.asked]).toEqual([true, 0, [undefined]]);
    await Promise.all([first, second].map(({ reader }) => reader.close()));
    await blobs.close();
  });

  test('gets nothing if upstream refuses the blob', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const { reader } = await blobs.open(upstream.target(), DIGEST, WHOLE);
    upstream.denial = ABSENT;
    await expect(blobs.open(upstream.target(OTHER), DIGEST, WHOLE)).rejects.toBe(ABSENT);
    await reader.close();
    await blobs.close();
  });

  test('for which upstream tells another size waits for the end of the fill', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length, BYTES.length + 1);
    const blobs = new BlobPuller(cache);
    const first = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const opening = blobs.open(upstream.target(OTHER), DIGEST, WHOLE);
    await turns();
    expect(upstream.asked).toHaveLength(1);
    upstream.send(BYTES);
    await readWhole(first.reader);
    // The bytes are here by then, but upstream still tells another size: the client gets them from upstream.
    const { reader, outcome } = await opening;
    upstream.send(BYTES);
    await readWhole(reader);
    expect([upstream.asked.length, outcome.collapsed]).toEqual([2, false]);
    await expect.poll(() => blobs.fills.size).toBe(0);
  });

  test('asks for itself when the fill fails, and does not get its error', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const answering = Promise.withResolvers<void>();
    upstream.answering = answering.promise;
    upstream.refusal = ABSENT;
    const blobs = new BlobPuller(cache);
    const first = blobs.open(upstream.target(), DIGEST, WHOLE);
    await expect.poll(() => upstream.asked.length).toBe(1);
    const own = new HeldUpstream(BYTES.length);
    const second = blobs.open(own.target(OTHER), DIGEST, WHOLE);
    await turns();
    expect(own.asked).toEqual([]);
    answering.resolve();
    await expect(first).rejects.toBe(ABSENT);
    const { reader } = await second;
    expect([own.asked, own.questions]).toEqual([[undefined], 0]);
    await reader.close();
    await blobs.close();
  });

  test('waits for the end of a fill of unknown size before upstream is asked about it', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(undefined, BYTES.length);
    const blobs = new BlobPuller(cache);
    const first = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const opening = blobs.open(upstream.target(OTHER), DIGEST, WHOLE);
    await turns();
    expect(upstream.questions).toBe(0);
    upstream.send(BYTES);
    const second = await opening;
    expect(Buffer.from(await readWhole(second.reader))).toEqual(BYTES);
    expect([upstream.questions, upstream.asked]).toEqual([1, [undefined]]);
    await first.reader.close();
  });
});

describe('a client of the same repository', () => {
  test.each([
    ['is refused with the first one', ABSENT],
    ['fails with the first one', AWAY],
  ])('%s if the fill fails before it opens', async (_, refusal) => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const answering = Promise.withResolvers<void>();
    upstream.answering = answering.promise;
    upstream.refusal = refusal;
    const blobs = new BlobPuller(cache);
    const both = [1, 2].map(() => blobs.open(upstream.target(), DIGEST, WHOLE));
    await turns();
    answering.resolve();
    const told = await Promise.allSettled(both);
    expect(told.map((result) => 'reason' in result && result.reason)).toEqual([refusal, refusal]);
    expect(upstream.asked).toHaveLength(1);
  });

  test('that comes aboard a fill that was given up asks anew', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const first = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const fill = blobs.fills.get('registry.test', DIGEST)!;
    const opening = blobs.open(upstream.target(), DIGEST, WHOLE);
    fill.follow = () => {
      fill.cancel();
      return Promise.reject(AWAY);
    };
    const { reader } = await opening;
    expect(upstream.asked).toHaveLength(2);
    await Promise.all([first.reader, reader].map((it) => it.close()));
    await blobs.close();
  });

  test('belongs to the audience of its fill until it has closed', async () => {
    await using cache = await MemoryCache.open();
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const { reader } = await blobs.open(upstream.target(), DIGEST, WHOLE);
    const { audience } = blobs.fills.get('registry.test', DIGEST)!;
    expect(audience.client).toBe('client');
    await reader.close();
    expect(audience.client).toBeUndefined();
    await blobs.close();
  });

  test('goes on with the others by one transfer past a store that has failed', async () => {
    const full = new StoreError('write', { code: 'ENOSPC' });
    await using cache = await MemoryCache.open({
      store: (store) => ({
        async ingest(expected) {
          const ingest = await store.ingest(expected);
          ingest.write = async () => {
            await ingest.abort(full);
            throw full;
          };
          return ingest;
        },
      }),
    });
    const upstream = new HeldUpstream(BYTES.length);
    const blobs = new BlobPuller(cache);
    const both = await Promise.all(
      ['one', 'other'].map((client) => blobs.open(upstream.target(), DIGEST, { ...WHOLE, client })),
    );
    upstream.send(BYTES);
    const whole = await Promise.all(both.map(({ reader }) => readWhole(reader)));
    expect(whole.map((bytes) => Buffer.from(bytes))).toEqual([BYTES, BYTES]);
    expect(upstream.asked).toEqual([undefined]);
    await blobs.close();
    await cache.disk.close();
  });
});
