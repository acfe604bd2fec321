import { expect, test } from 'vitest';
import { fillRoom } from './fill-room.ts';

const MiB = 1024 ** 2;
const MARKS = { maxSize: undefined, minFree: 100 * MiB, unusedForMs: undefined };

test.each([
  ['one fill that has room enough', 1, 117, 0],
  ['one fill that takes all the room', 1, 116, 1],
  ['one fill that takes all the room and is not among the ingests', 0, 116, 1],
  ['several fills that take all the room together', 4, 164, 1],
  ['several fills that have room enough', 4, 165, 0],
  ['several fills that share what is left', 3, 110, 1],
  ['one fill below the mark', 1, 50, 1],
])('eviction is called when needed: %s', async (_, fills, freeMiB, expected) => {
  let told = 0;
  const fill = { size: 64 * MiB, offset: 0 };
  const room = fillRoom({
    marks: MARKS,
    store: { ingests: Array.from({ length: fills }, () => fill) },
    index: { stats: () => Promise.resolve({ bytes: 64 * 1024 * MiB, blobs: 1 }) },
    freeBytes: () => Promise.resolve(freeMiB * MiB),
    onTight: () => (told += 1),
  });
  await room(fill);
  expect(told).toBe(expected);
});

test('without a limit, nothing is looked up, and there is room for everything', async () => {
  let lookUps = 0;
  const room = fillRoom({
    marks: { maxSize: undefined, minFree: 0, unusedForMs: undefined },
    store: { ingests: [] },
    index: {
      stats: async () => {
        lookUps += 1;
        return { bytes: 0, blobs: 0 };
      },
    },
    freeBytes: async () => (lookUps += 1),
    onTight: () => {},
  });
  expect([await room({ size: undefined, offset: 0 }), lookUps]).toEqual([Number.POSITIVE_INFINITY, 0]);
});

test('with a cap alone, free space is not asked for, and an index that fails counts as an empty store', async () => {
  const room = fillRoom({
    marks: { maxSize: 64 * 1024, minFree: 0, unusedForMs: undefined },
    store: { ingests: [] },
    index: { stats: () => Promise.reject(new Error('no index')) },
    freeBytes: () => expect.fail('should not have been asked'),
    onTight: () => {},
  });
  expect(await room({ size: undefined, offset: 0 })).toBe(64 * 1024);
});

test('there is room for everything if the free space is unknown', async () => {
  const room = fillRoom({
    marks: MARKS,
    store: { ingests: [] },
    index: { stats: () => Promise.resolve({ bytes: 0, blobs: 0 }) },
    freeBytes: () => Promise.reject(new Error('no disk')),
    onTight: () => {},
  });
  expect(await room({ size: undefined, offset: 0 })).toBe(Number.POSITIVE_INFINITY);
});
