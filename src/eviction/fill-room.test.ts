import { expect, test } from 'vitest';
import { fillRoom } from './fill-room.ts';

const MiB = 1024 ** 2;
const MARKS = { maxSize: undefined, minFree: 100 * MiB, unusedForMs: undefined };

test.each([
  ['one fill that has room enough', 1, 117, 0],
  ['one that takes all that may be taken', 1, 116, 1],
  ['one that does so and is not among the ingests', 0, 116, 1],
  ['several that do so together', 4, 164, 1],
  ['several for which there is enough', 4, 165, 0],
  ['several that get their part of what is left', 3, 110, 1],
  ['any below the mark', 1, 50, 1],
])('eviction is told of %s', async (_, fills, freeMiB, expected) => {
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

test('nothing is looked up where there is no limit: there is room for everything', async () => {
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

test('below a cap, what is free is not asked for, and what is stored counts for nothing where it cannot be told', async () => {
  const room = fillRoom({
    marks: { maxSize: 64 * 1024, minFree: 0, unusedForMs: undefined },
    store: { ingests: [] },
    index: { stats: () => Promise.reject(new Error('no index')) },
    freeBytes: () => expect.fail('should not have been asked'),
    onTight: () => {},
  });
  expect(await room({ size: undefined, offset: 0 })).toBe(64 * 1024);
});

test('there is room for everything where what is free cannot be told', async () => {
  const room = fillRoom({
    marks: MARKS,
    store: { ingests: [] },
    index: { stats: () => Promise.resolve({ bytes: 0, blobs: 0 }) },
    freeBytes: () => Promise.reject(new Error('no disk')),
    onTight: () => {},
  });
  expect(await room({ size: undefined, offset: 0 })).toBe(Number.POSITIVE_INFINITY);
});
