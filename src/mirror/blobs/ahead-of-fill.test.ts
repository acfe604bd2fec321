import { describe, expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import type { RangeSpec, SingleRange } from '../../http/ranges/range.ts';
import { digestOf } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { BlobPuller } from './blob-puller.ts';

const MiB = 1024 * 1024;
const SIZE = 100 * MiB;
const DIGEST = digestOf('a layer');
const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');
const HEAD: SingleRange = { kind: 'slice', start: 0, end: 1 };

function slice(start: number, length: number): SingleRange {
  return { kind: 'slice', start, end: start + length };
}

/** Starts a fill, and one client that follows it. */
async function start() {
  const stack = new AsyncDisposableStack();
  const cache = stack.use(await MemoryCache.open());
  const upstream = new HeldUpstream(SIZE);
  const blobs = new BlobPuller(cache);
  stack.defer(() => blobs.close());
  const open = async (range: RangeSpec | undefined) => {
    const opened = await blobs.open(upstream.target(), DIGEST, { range, client: 'client' });
    stack.defer(() => opened.reader.close());
    return opened;
  };
  const whole = await open(undefined);
  const [fill] = blobs.fills;
  return {
    upstream,
    open,
    whole,
    fill: fill!,
    clock: cache.clock,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Reads one byte, which upstream sends. */
async function readAt(upstream: HeldUpstream, reader: BlobReader, position: number): Promise<void> {
  const available = reader.available(position);
  await expect.poll(() => upstream.asked.some((range) => range?.start === position)).toBe(true);
  upstream.bodies.at(-1)?.push([Uint8Array.of(1)]);
  expect(await available).toBe(position + 1);
}

describe('a part far ahead of the fill', () => {
  test('is fetched by itself', async () => {
    await using world = await start();
    const { outcome } = await world.open(slice(20 * MiB, 10));
    expect(outcome).toMatchObject({ detail: 'range far ahead of the fill' });
    expect(world.upstream.asked).toEqual([undefined, { start: 20 * MiB, end: 20 * MiB + 10 }]);
  });

  test('counts towards the quarter of the blob that may be fetched beside the fill', async () => {
    await using world = await start();
    for (let part = 0; part < 2; part += 1) await world.open(slice(20 * MiB, 15 * MiB));
    expect([world.upstream.asked.length, world.fill.directBytes]).toEqual([2, 15 * MiB]);
  });

  test.each([
    ['upstream does not give it by itself', AWAY],
    ['asking for it fails for a reason of ours', new TypeError('a bug')],
  ])('comes with the fill if %s', async (_, refusal) => {
    await using world = await start();
    world.upstream.refusal = refusal;
    const { outcome } = await world.open(slice(20 * MiB, 10));
    expect([outcome.collapsed, world.upstream.asked.length]).toEqual([true, 2]);
  });
});

describe('of several parts', () => {
  test('each that is far ahead is fetched by itself, when its turn comes', async () => {
    await using world = await start();
    const ranges = [HEAD, slice(20 * MiB, 10), slice(40 * MiB, 10)];
    const { reader } = await world.open({ kind: 'several', ranges });
    expect(world.upstream.asked).toEqual([undefined]);
    for (const position of [20 * MiB, 40 * MiB]) await readAt(world.upstream, reader, position);
    expect(world.upstream.asked.slice(1)).toEqual([
      { start: 20 * MiB, end: 20 * MiB + 10 },
      { start: 40 * MiB, end: 40 * MiB + 10 },
    ]);
  });

  test('at most sixteen are fetched by themselves', async () => {
    await using world = await start();
    const ranges = Array.from({ length: 20 }, (_, i) => slice((20 + i) * MiB, 10));
    const { reader } = await world.open({ kind: 'several', ranges });
    for (let part = 0; part < 16; part += 1) await readAt(world.upstream, reader, (20 + part) * MiB);
    void reader.available(36 * MiB).catch(() => {});
    await world.open(HEAD);
    expect(world.upstream.asked).toHaveLength(17);
  });

  test('no further one is fetched by itself once upstream has refused one', async () => {
    await using world = await start();
    const ranges = [slice(20 * MiB, 10), slice(40 * MiB, 10)];
    const { reader } = await world.open({ kind: 'several', ranges });
    world.upstream.refusal = AWAY;
    void reader.available(20 * MiB).catch(() => {});
    await expect.poll(() => world.upstream.asked.length).toBe(2);
    await world.open(HEAD);
    void reader.available(40 * MiB).catch(() => {});
    await world.open(HEAD);
    expect(world.upstream.asked).toHaveLength(2);
  });

  test('none is fetched by itself if they are as good as the whole', async () => {
    await using world = await start();
    const ranges = [slice(20 * MiB, 1), { kind: 'from', start: 0 } as const];
    const { reader } = await world.open({ kind: 'several', ranges });
    void reader.available(20 * MiB).catch(() => {});
    await world.open(HEAD);
    expect(world.upstream.asked).toEqual([undefined]);
  });
});

describe('a fill that all have left is given up', () => {
  test('after ten seconds', async () => {
    await using world = await start();
    await world.whole.reader.close();
    world.clock.advance(9_999);
    expect(world.fill.isCancelled).toBe(false);
    world.clock.advance(1);
    expect(world.fill.isCancelled).toBe(true);
  });

  test('after a minute if a client has read a part: it may come back for another one', async () => {
    await using world = await start();
    const { reader } = await world.open(HEAD);
    for (const it of [world.whole.reader, reader]) await it.close();
    world.clock.advance(59_999);
    expect(world.fill.isCancelled).toBe(false);
    world.clock.advance(1);
    expect(world.fill.isCancelled).toBe(true);
  });
});
