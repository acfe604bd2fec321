import { expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import { digestOf } from '../../oci/digest.ts';
import { FillClients } from '../fill-clients.ts';
import { Fills } from './fills.ts';

const DIGEST = digestOf('a layer');

test('a fill that was given up takes with it none that has begun since', async () => {
  await using cache = await MemoryCache.open();
  const target = new HeldUpstream(7).target();
  const fills = new Fills(cache);
  const first = fills.start(target, DIGEST, new FillClients());
  expect(fills.get(target.key.registry, DIGEST)).toBe(first);
  first.cancel();
  expect(fills.get(target.key.registry, DIGEST)).toBeUndefined();
  const second = fills.start(target, DIGEST, new FillClients());
  await first.ended;
  expect(fills.endings(DIGEST)).toBe(1);
  expect(fills.get(target.key.registry, DIGEST)).toBe(second);
  await fills.close();
});

test('closing gives all fills up, and waits for their end', async () => {
  await using cache = await MemoryCache.open();
  const target = new HeldUpstream(7).target();
  const fills = new Fills(cache);
  const fill = fills.start(target, DIGEST, new FillClients());
  await fill.opened;
  const closing = fills.close();
  expect(fill.isCancelled).toBe(true);
  await closing;
  expect([fills.size, cache.clock.pending]).toEqual([0, 0]);
});

/** Runs a fill for which a manifest tells a wrong size, and whose bytes have come. */
async function wronglyDescribed() {
  const cache = await MemoryCache.open({ index: { describedSize: () => Promise.resolve(8) } });
  const upstream = new HeldUpstream(undefined);
  const fills = new Fills(cache);
  const audience = new FillClients();
  audience.enter('client');
  const fill = fills.start(upstream.target(), DIGEST, audience);
  await fill.opened;
  upstream.send(Buffer.from('a layer'));
  return { cache, upstream, fills, fill };
}

test('a fill that was wrong for a reason that may be gone is begun anew, once, for the next clients', async () => {
  const { cache, upstream, fills, fill } = await wronglyDescribed();
  await fill.ended;
  await expect.poll(() => upstream.bodies.length).toBe(2);
  const again = fills.get('registry.test', DIGEST)!;
  expect(again).not.toBe(fill);
  expect([...fills]).toEqual([again]);
  upstream.send(Buffer.from('a layer'));
  await again.ended;
  expect(await cache.store.stat(DIGEST)).toMatchObject({ size: 7 });
  expect([fills.endings(DIGEST), fills.size, upstream.asked.length]).toEqual([2, 0, 2]);
  await cache[Symbol.asyncDispose]();
});

test('such a fill is not begun anew if a client has begun one already', async () => {
  const { cache, upstream, fills, fill } = await wronglyDescribed();
  const other = new HeldUpstream(7);
  cache.events.subscribe((event) => {
    if (event.kind === 'fill-ended' && event.outcome === 'failed') {
      fills.start(other.target(), DIGEST, new FillClients());
    }
  });
  await fill.ended;
  await expect.poll(() => other.bodies.length).toBe(1);
  expect([upstream.asked.length, other.asked.length]).toEqual([1, 1]);
  await fills.close();
  await cache[Symbol.asyncDispose]();
});
