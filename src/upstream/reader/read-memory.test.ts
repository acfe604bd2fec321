import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadMemory } from './read-memory.ts';

/** A part that is lent, and what it has to be until it is given back. */
interface Lent {
  readonly part: Uint8Array;
  readonly byte: number;
}

/** A read that fills a share of the room, or the return of one of the parts that are lent. */
const STEP = fc.oneof(
  fc.record({ share: fc.double({ min: 0.001, max: 1, noNaN: true }), parts: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ back: fc.nat(20) }),
);

test('no read changes a part that is lent', () => {
  fc.assert(
    fc.property(fc.array(STEP, { minLength: 1, maxLength: 60 }), (steps) => {
      const memory = new ReadMemory();
      const lent: Lent[] = [];
      let room = memory.room();
      for (const [n, step] of steps.entries()) {
        if ('back' in step) {
          memory.giveBack(lent.splice(step.back % (lent.length + 1), 1).map(({ part }) => part));
          continue;
        }
        const byte = (n % 255) + 1;
        const bytes = Math.max(1, Math.floor(room.length * step.share));
        room.fill(byte, 0, bytes);
        const read = memory.filled(bytes);
        for (const part of splitOf(read, step.parts)) {
          memory.lend(part);
          lent.push({ part, byte });
        }
        room = memory.room();
      }
      for (const { part, byte } of lent) {
        expect([part[0], part.at(-1), part.findIndex((other) => other !== byte)]).toEqual([byte, byte, -1]);
      }
    }),
    { numRuns: 50 },
  );
});

function splitOf(bytes: Uint8Array, parts: number): Uint8Array[] {
  const size = Math.ceil(bytes.length / Math.max(1, parts));
  return Array.from({ length: parts }, (_, n) => bytes.subarray(n * size, (n + 1) * size)).filter(
    ({ length }) => length > 0,
  );
}

test('two blocks are enough for a consumer that keeps up', () => {
  const memory = new ReadMemory();
  const used = new Set<ArrayBufferLike>();
  for (let n = 0; n < 100; n += 1) {
    const part = memory.filled(Math.min(memory.room().length, 100_000));
    used.add(part.buffer);
    memory.lend(part);
    memory.room();
    memory.giveBack([part]);
  }
  expect(used.size).toBe(2);
});

test('a block whose parts are never given back is not kept for ever', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const memory = new ReadMemory();
  const blocks: WeakRef<ArrayBufferLike>[] = [];
  for (let n = 0; n < 50; n += 1) {
    const part = memory.filled(memory.room().length);
    memory.lend(part);
    blocks.push(new WeakRef(part.buffer));
  }
  await setImmediate();
  collect();
  expect(blocks.filter((block) => block.deref() !== undefined).length).toBeLessThan(5);
  // It is still the memory of the connection.
  expect(memory.room().length).toBeGreaterThan(0);
});
