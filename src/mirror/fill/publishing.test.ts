import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import { publishingAfter } from '../../../test/support/publishing-after.ts';
import type { LarderEvent } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import { HIT } from '../../repository/outcome.ts';
import { StoreError } from '../../store/error.ts';
import { readWhole } from '../../store/read-whole.ts';
import { BlobPuller } from '../blobs/blob-puller.ts';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);
const WHOLE = { range: undefined, client: 'client' };
const EIO = new StoreError('sync', { code: 'EIO' });
const OTHER = 'acme/other';

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

/** A cache whose store publishes verified bytes when the test says so. */
class HeldPublishing implements AsyncDisposable {
  readonly cache: MemoryCache;
  readonly upstream: HeldUpstream;
  readonly blobs: BlobPuller;
  readonly told: LarderEvent[] = [];
  readonly #gate: PromiseWithResolvers<void>;

  private constructor(cache: MemoryCache, upstream: HeldUpstream, gate: PromiseWithResolvers<void>) {
    this.cache = cache;
    this.upstream = upstream;
    this.blobs = new BlobPuller(cache);
    this.#gate = gate;
    cache.events.subscribe((event) => this.told.push(event));
  }

  static async open(upstream = new HeldUpstream(BYTES.length)): Promise<HeldPublishing> {
    const gate = Promise.withResolvers<void>();
    gate.promise.catch(() => {});
    const cache = await MemoryCache.open({ store: (store) => publishingAfter(gate.promise, store) });
    return new HeldPublishing(cache, upstream, gate);
  }

  /** Pulls the blob cold, to the end. */
  async pull(): Promise<Buffer> {
    const { reader } = await this.blobs.open(this.upstream.target(), DIGEST, WHOLE);
    this.upstream.send(BYTES);
    return Buffer.from(await readWhole(reader));
  }

  publish(): void {
    this.#gate.resolve();
  }

  fail(): void {
    this.#gate.reject(EIO);
  }

  /** Waits until no fill runs. */
  async idle(): Promise<void> {
    await Promise.all([...this.blobs.fills].map(({ ended }) => ended));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.publish();
    await this.blobs.close();
    await this.cache.disk.close();
    await this.cache[Symbol.asyncDispose]();
  }
}

describe('while a verified blob is being published', () => {
  test('its client has all of it, and it is not stored yet', async () => {
    await using held = await HeldPublishing.open();
    expect(await held.pull()).toEqual(BYTES);
    await turns();
    expect(held.blobs.fills.size).toBe(1);
    expect(await held.cache.store.stat(DIGEST)).toBeUndefined();
    expect(await held.cache.index.blob(DIGEST)).toBeUndefined();
    expect(held.told.map(({ kind }) => kind)).toEqual(['fill-started']);
    held.publish();
    await held.idle();
    expect(await held.cache.index.blob(DIGEST)).toMatchObject({ size: BYTES.length });
    expect(held.told.at(-1)).toMatchObject({ kind: 'fill-ended', outcome: 'stored', bytes: BYTES.length });
  });

  test('the next client gets it at once from the fill, and its size by HEAD; upstream is not asked', async () => {
    await using held = await HeldPublishing.open();
    await held.pull();
    const { reader, outcome } = await held.blobs.open(held.upstream.target(), DIGEST, WHOLE);
    expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
    expect(outcome).toEqual({ hit: false, fwd: 'uri-miss', stored: true, collapsed: true });
    const stat = await held.blobs.stat(held.upstream.target(), DIGEST, 'client');
    expect(stat).toEqual({ size: BYTES.length, outcome: HIT });
    expect([held.upstream.asked, held.upstream.questions]).toEqual([[undefined], 0]);
  });

  test('its size is known even if upstream did not tell it', async () => {
    await using held = await HeldPublishing.open(new HeldUpstream(undefined));
    await held.pull();
    const range = { kind: 'suffix', length: 5 } as const;
    const { reader } = await held.blobs.open(held.upstream.target(), DIGEST, { ...WHOLE, range });
    expect(reader.size).toBe(BYTES.length);
    await reader.close();
    const { size } = await held.blobs.stat(held.upstream.target(), DIGEST, 'client');
    expect([size, held.upstream.questions]).toEqual([BYTES.length, 0]);
  });

  test.each([
    ['of known size', BYTES.length],
    ['of unknown size, which another repository waits for', undefined],
  ])('a blob %s is confirmed for another repository, once', async (_, size) => {
    await using held = await HeldPublishing.open(new HeldUpstream(size, BYTES.length));
    const pull = held.pull();
    const opening = held.blobs.open(held.upstream.target(OTHER), DIGEST, WHOLE);
    const late = pull.then(() => held.blobs.open(held.upstream.target('acme/late'), DIGEST, WHOLE));
    for (const { reader, outcome } of [await opening, await late]) {
      expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
      expect(outcome.collapsed).toBe(true);
    }
    held.publish();
    await held.idle();
    for (const repository of [OTHER, 'acme/late', 'acme/app']) {
      const { reader, outcome } = await held.blobs.open(held.upstream.target(repository), DIGEST, WHOLE);
      expect([repository, outcome]).toEqual([repository, HIT]);
      await reader.close();
    }
    expect([held.upstream.questions, held.upstream.asked]).toEqual([2, [undefined]]);
  });

  test('a client that upstream does not confirm it for waits, and is not asked about again and again', async () => {
    await using held = await HeldPublishing.open(new HeldUpstream(BYTES.length, BYTES.length + 1));
    await held.pull();
    const opening = held.blobs.open(held.upstream.target(OTHER), DIGEST, WHOLE);
    await turns();
    expect([held.upstream.questions, held.upstream.asked.length]).toEqual([1, 1]);
    held.publish();
    // Upstream tells another size once more: only bytes of its own can prove that the client may have them.
    await expect.poll(() => held.upstream.asked.length).toBe(2);
    held.upstream.send(BYTES);
    await readWhole((await opening).reader);
  });

  test.each([BYTES.length, undefined])('a fill without clients goes on (size: %s)', async (size) => {
    await using held = await HeldPublishing.open(new HeldUpstream(size));
    await held.pull();
    held.cache.clock.advance(60_000);
    const { reader, outcome } = await held.blobs.open(held.upstream.target(), DIGEST, WHOLE);
    expect([outcome.collapsed, held.upstream.asked.length, held.cache.clock.pending]).toEqual([true, 1, 0]);
    await reader.close();
  });

  test('closing waits until it is stored', async () => {
    await using held = await HeldPublishing.open();
    await held.pull();
    let isClosed = false;
    const closing = held.blobs.close().then(() => (isClosed = true));
    await turns();
    expect(isClosed).toBe(false);
    held.publish();
    await closing;
    expect(await held.cache.index.blob(DIGEST)).toMatchObject({ size: BYTES.length });
    expect(held.told.at(-1)).toMatchObject({ outcome: 'stored' });
  });

  test('the caller of `open` can wait for that', async () => {
    await using held = await HeldPublishing.open();
    const { reader, storing } = await held.blobs.open(held.upstream.target(), DIGEST, WHOLE);
    held.upstream.send(BYTES);
    await readWhole(reader);
    held.publish();
    await storing;
    expect(await held.cache.store.stat(DIGEST)).toMatchObject({ size: BYTES.length });
  });
});

describe('if a verified blob cannot be published', () => {
  test('that is reported as a failure of the store, and nothing is left', async () => {
    await using held = await HeldPublishing.open();
    expect(await held.pull()).toEqual(BYTES);
    held.fail();
    await held.idle();
    expect(held.told).toMatchObject([
      { kind: 'fill-started' },
      { kind: 'disk-changed', state: 'failing', error: EIO },
      { kind: 'store-failed', operation: 'fill', error: EIO },
      { kind: 'fill-ended', outcome: 'failed', error: EIO },
    ]);
    expect([await held.cache.store.stat(DIGEST), await held.cache.index.blob(DIGEST)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('a client that has come meanwhile gets all of it, and the next one has it fetched again', async () => {
    await using held = await HeldPublishing.open();
    await held.pull();
    const { reader } = await held.blobs.open(held.upstream.target(), DIGEST, WHOLE);
    held.fail();
    await held.idle();
    expect(Buffer.from(await readWhole(reader))).toEqual(BYTES);
    const next = await held.blobs.open(held.upstream.target(), DIGEST, WHOLE);
    held.upstream.send(BYTES);
    expect(Buffer.from(await readWhole(next.reader))).toEqual(BYTES);
    expect(held.upstream.asked).toHaveLength(2);
  });
});
