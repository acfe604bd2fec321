import { expect, test } from 'vitest';
import { HeldUpstream, MemoryCache } from '../../../test/support/memory-cache.ts';
import { digestOf } from '../../oci/digest.ts';
import { Audience } from '../audience.ts';
import { Fills } from './fills.ts';

const DIGEST = digestOf('a layer');

test('a fill that was given up takes with it none that has begun since', async () => {
  await using cache = await MemoryCache.open();
  const target = new HeldUpstream(7).target();
  const fills = new Fills(cache);
  const first = fills.start(target, DIGEST, new Audience());
  first.cancel();
  const second = fills.start(target, DIGEST, new Audience());
  await first.ended;
  expect(fills.endings(DIGEST)).toBe(1);
  expect(fills.get(target.key.registry, DIGEST)).toBe(second);
  await fills.close();
});

test('to close them gives all of them up, and waits for their end', async () => {
  await using cache = await MemoryCache.open();
  const target = new HeldUpstream(7).target();
  const fills = new Fills(cache);
  const fill = fills.start(target, DIGEST, new Audience());
  await fill.opened;
  const closing = fills.close();
  expect(fill.isCancelled).toBe(true);
  await closing;
  expect([fills.size, cache.clock.pending]).toEqual([0, 0]);
});
