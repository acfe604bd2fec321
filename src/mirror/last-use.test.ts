import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import { LastUse } from './last-use.ts';

const A = digestOf('a');
const B = digestOf('b');
const START = Date.UTC(2026, 0, 1);

class World {
  readonly clock = new ManualClock(START);
  readonly told: LarderEvent[] = [];
  /** The writes to the index, one map for each. */
  readonly written: ReadonlyMap<Digest, number>[] = [];
  touch: (uses: ReadonlyMap<Digest, number>) => Promise<void> = (uses) => {
    this.written.push(uses);
    return Promise.resolve();
  };
  readonly lastUse: LastUse;

  constructor() {
    const events = createEvents();
    events.subscribe((event) => this.told.push(event));
    const index = {
      touch: (uses: ReadonlyMap<Digest, number>) => this.touch(uses),
    } as unknown as ContentIndex;
    this.lastUse = new LastUse(index, this.clock, events);
  }
}

test('many uses are one write, some seconds after the first, with the time of each digest’s last', () => {
  const { clock, lastUse, written } = new World();
  lastUse.record(A);
  clock.advance(1_000);
  lastUse.record(B);
  lastUse.record(A);
  clock.advance(3_999);
  expect(written).toEqual([]);
  clock.advance(1);
  expect(written).toEqual([
    new Map([
      [A, START + 1_000],
      [B, START + 1_000],
    ]),
  ]);
  expect(clock.pending).toBe(0);
});

test('a flush writes nothing if nothing was used', async () => {
  const { clock, lastUse, written } = new World();
  await lastUse.flush();
  clock.advance(60_000);
  expect(written).toEqual([]);
});

test('a use after a write is written by the next one', () => {
  const { clock, lastUse, written } = new World();
  lastUse.record(A);
  clock.advance(5_000);
  lastUse.record(B);
  clock.advance(5_000);
  expect(written.map((uses) => [...uses.keys()])).toEqual([[A], [B]]);
});

test('ten thousand uses are written without a wait', () => {
  const { clock, lastUse, written } = new World();
  for (let count = 1; count < 10_000; count += 1) lastUse.record(digestOf(String(count)));
  expect(written).toEqual([]);
  lastUse.record(A);
  expect(written.map(({ size }) => size)).toEqual([10_000]);
  expect(clock.pending).toBe(0);
});

test('a flush at the end writes what is left at once', async () => {
  const { clock, lastUse, written } = new World();
  lastUse.record(A);
  await lastUse.flush();
  expect(written).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test('a failure of the index costs the recency, and is reported', async () => {
  const world = new World();
  const error = new Error('disk full');
  world.touch = () => Promise.reject(error);
  world.lastUse.record(A);
  await world.lastUse.flush();
  expect(world.told).toEqual([{ kind: 'store-failed', operation: 'record last use', error }]);
});

test('a flush waits for what an earlier one is still writing', async () => {
  const world = new World();
  const { lastUse, written } = world;
  const first = Promise.withResolvers<void>();
  world.touch = async (uses) => {
    if (uses.has(A)) await first.promise;
    written.push(uses);
  };
  lastUse.record(A);
  const flushes: Promise<void>[] = [lastUse.flush(), lastUse.flush()];
  lastUse.record(B);
  flushes.push(lastUse.flush());
  const isOver = [false, false, false];
  for (const [i, flush] of flushes.entries()) void flush.then(() => (isOver[i] = true));
  await setImmediate();
  expect(isOver).toEqual([false, false, false]);
  first.resolve();
  await Promise.all(flushes);
  expect(written.map((uses) => [...uses.keys()])).toEqual([[B], [A]]);
});
