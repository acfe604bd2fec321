import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesForFill,
  bytesForRoom,
  bytesOverCap,
  bytesUnderFree,
  waterMarks,
  type DiskUse,
  type Marks,
} from './marks.ts';

const KiB = 1024;
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

const NONE: Marks = { maxSize: undefined, minFree: 0, unusedForMs: undefined };
const CAPPED: Marks = { ...NONE, maxSize: 1000 };
const IDLE = { ingests: [], free: undefined };
const fill = (size: number | undefined, offset = 0) => ({ size, offset });

describe('the water marks', () => {
  it.each([
    [1000, 980, 950],
    [0, 0, 0],
    [50 * GiB, 50 * GiB - 512 * MiB, 48 * GiB],
  ])('of a cap of %i bytes', (cap, high, low) => {
    expect(waterMarks(cap)).toEqual({ high, low });
  });
});

describe('over the cap', () => {
  it.each([
    ['an unlimited store', NONE, 1e15, [], false, 0],
    ['a store between the marks', CAPPED, 980, [], false, 0],
    ['a store above the marks, down to the lower one', CAPPED, 981, [], false, 31],
    ['a store between the marks while evicting', CAPPED, 980, [], true, 30],
    ['a store at the lower mark', CAPPED, 950, [], true, 0],
    ['the bytes that a fill will take', CAPPED, 900, [fill(100)], false, 50],
    ['the bytes that a fill has taken already', CAPPED, 900, [fill(100, 99)], false, 50],
    ['nothing for fills of unknown size', CAPPED, 900, [fill(undefined, 60), fill(undefined, 40)], false, 0],
    [
      'fills that take more than half of the cap, for half of it',
      CAPPED,
      900,
      [fill(400), fill(400)],
      false,
      450,
    ],
    ['a fill that just fits, for half of the cap', CAPPED, 900, [fill(1000)], false, 450],
    ['a fill that never fits, for nothing', CAPPED, 900, [fill(1001)], false, 0],
    [
      'a fill that claims to be long, for a GiB beyond what it has written',
      { ...NONE, maxSize: 100 * GiB },
      100 * GiB,
      [fill(60 * GiB, GiB)],
      false,
      4 * GiB,
    ],
    [
      'a fill of unknown size that turns out never to fit, for nothing',
      CAPPED,
      900,
      [fill(undefined, 1001)],
      false,
      0,
    ],
  ])('counts %s', (_, marks, stored, ingests, isEvicting, expected) => {
    expect(bytesOverCap(marks, { ...IDLE, stored, ingests }, isEvicting)).toBe(expected);
  });

  it('an eviction leaves the store below both marks', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 1e12 }),
      fc.integer({ min: 0, max: 2e12 }),
      fc.array(fc.record({ size: fc.nat(1e9), offset: fc.nat(1e9) }), { maxLength: 5 }),
      (maxSize, stored, ingests) => {
        const marks = { ...NONE, maxSize };
        const over = bytesOverCap(marks, { ...IDLE, stored, ingests }, false);
        const whileEvicting = bytesOverCap(marks, { ...IDLE, stored, ingests }, true);
        expect([0, whileEvicting]).toContain(over);
        const left = stored - over;
        const stillOver = bytesOverCap(marks, { ...IDLE, stored: left, ingests }, over > 0);
        expect(left <= 0 || Math.abs(stillOver) < 0.01).toBe(true);
      },
    );
    fc.assert(property);
  });
});

describe('too little free', () => {
  const marks: Marks = { ...NONE, minFree: 1000 };

  it.each([
    ['nothing if nothing has to be free', NONE, { free: 0 }, 0],
    ['nothing if the free space is unknown', marks, { free: undefined }, 0],
    ['nothing while enough is free', marks, { free: 1000 }, 0],
    ['the missing bytes and a little more', marks, { free: 900 }, 150],
    ['the bytes that fills have yet to write', marks, { free: 1000, ingests: [fill(300, 100)] }, 250],
    [
      'the bytes that fills have yet to write, if the whole store just makes room for them',
      marks,
      { free: 1000, stored: 250, ingests: [fill(300, 100)] },
      250,
    ],
    [
      'the bytes that fills have yet to write, as if a complete fill were not there',
      marks,
      { free: 1000, stored: 400, ingests: [fill(300, 100), fill(50, 50)] },
      250,
    ],
    [
      'all missing bytes, if the only fill is complete',
      marks,
      { free: 750, stored: 400, ingests: [fill(500, 500)] },
      300,
    ],
    [
      'a GiB for a fill that claims to be longer',
      { ...NONE, minFree: 10 * GiB },
      { free: 10 * GiB, stored: 1e12, ingests: [fill(60 * GiB)] },
      1.25 * GiB,
    ],
    ['nothing for a fill of unknown size', marks, { free: 1000, ingests: [fill(undefined, 100)] }, 0],
    [
      'nothing for a fill of unknown size that has just begun',
      marks,
      { free: 1000, ingests: [fill(undefined)] },
      0,
    ],
    ['nothing for a fill that never fits', marks, { free: 1000, ingests: [fill(1e6)] }, 0],
    [
      'the bytes that are missing without a fill that never fits',
      marks,
      { free: 900, ingests: [fill(1e6)] },
      150,
    ],
    ['more than is stored, if all of that is not enough', marks, { free: 0, stored: 700 }, 1050],
    [
      'half of the store, if a fill of unknown length has taken the rest',
      marks,
      { free: 0, stored: 700, ingests: [fill(undefined, 5000)] },
      350,
    ],
    [
      'half of the store, if several fills have taken the rest',
      marks,
      { free: 0, stored: 700, ingests: [fill(3000, 2500), fill(3000, 2500)] },
      350,
    ],
    [
      'half of the store, and the bytes that other programs have taken',
      marks,
      { free: 0, stored: 700, ingests: [fill(undefined, 400)] },
      1000,
    ],
  ])('means %s', (_, marks, use, expected) => {
    expect(bytesUnderFree(marks, { stored: 5000, ingests: [], ...use })).toBe(expected);
  });
});

describe('bytes that go for a fill', () => {
  it.each([
    ['nothing was asked for', 0, { stored: 5 * MiB, free: 0 }, 0],
    ['the disk is full', 10 * MiB, { stored: 50 * MiB, free: 0 }, 10 * MiB],
    ['some is free', 10 * MiB, { stored: 50 * MiB, free: 4 * MiB }, 6 * MiB],
    ['a quota is full though the disk is not', 10 * MiB, { stored: 50 * MiB, free: 99 * MiB }, MiB],
    ['the free space is unknown', 10 * MiB, { stored: 50 * MiB, free: undefined }, 10 * MiB],
    ['all of the store just makes room', 10 * MiB, { stored: 6 * MiB, free: 4 * MiB }, 6 * MiB],
    ['all of the store would not make room', 10 * MiB, { stored: 5 * MiB, free: 4 * MiB }, 0],
  ])('are right if %s', (_, wanted, use, expected) => {
    expect(bytesForRoom(wanted, { ingests: [], ...use })).toBe(expected);
  });
});

describe('what a fill may write', () => {
  const GB = 1000 * MiB;
  const capped = { ...NONE, maxSize: GB };
  const free = { ...NONE, minFree: 100 * MiB };

  it.each<[string, Marks, Partial<DiskUse>, ReturnType<typeof fill>, number]>([
    ['everything, if nothing is limited', NONE, {}, fill(undefined), Infinity],
    ['everything of a blob that fits the cap', capped, { stored: GB }, fill(GB), Infinity],
    ['nothing of a blob that does not fit the cap', capped, { stored: 0 }, fill(GB + 1), 0],
    [
      'a slice of the room below the cap, for a blob of unknown size',
      capped,
      { stored: 360 * MiB },
      fill(undefined),
      10 * MiB,
    ],
    [
      'a slice of the room below the cap, less what other fills have taken',
      capped,
      { stored: 320 * MiB, ingests: [fill(200 * MiB, 40 * MiB)] },
      fill(undefined),
      10 * MiB,
    ],
    [
      'a slice of its share of the room, if several fills are of unknown size',
      capped,
      { stored: 100 * MiB, ingests: [fill(undefined, 50 * MiB), fill(undefined, 50 * MiB)] },
      fill(undefined, 50 * MiB),
      6.25 * MiB,
    ],
    ['nothing once the cap is reached', capped, { stored: GB }, fill(undefined, 1), 0],
    [
      'nothing of less room than the least that counts',
      capped,
      { stored: GB - 64 * KiB + 1 },
      fill(undefined),
      0,
    ],
    ['all of the least room that counts', capped, { stored: GB - 64 * KiB }, fill(undefined), 64 * KiB],
    [
      'a slice of the bytes that are free beyond the mark',
      free,
      { free: 740 * MiB },
      fill(undefined),
      10 * MiB,
    ],
    [
      'all bytes that are free beyond the mark, if they are few',
      free,
      { free: 100.5 * MiB },
      fill(undefined),
      0.5 * MiB,
    ],
    [
      'less than it leaves to others, for a blob of unknown size',
      free,
      { free: 160 * MiB, ingests: [fill(undefined, 52 * MiB)] },
      fill(undefined, 52 * MiB),
      MiB,
    ],
    [
      'nothing once it has taken as much as is left, for a blob of unknown size',
      free,
      { free: 160 * MiB, ingests: [fill(undefined, 60 * MiB)] },
      fill(undefined, 60 * MiB),
      0,
    ],
    [
      'nothing once several fills of unknown size have taken as much as is left',
      free,
      { free: 160 * MiB, ingests: [fill(undefined, 50 * MiB), fill(undefined, 10 * MiB)] },
      fill(undefined, 10 * MiB),
      0,
    ],
    ['nothing at the mark', free, { free: 100 * MiB, stored: GB }, fill(undefined), 0],
    [
      'a slice of the free bytes, less what other fills take',
      free,
      { free: 160 * MiB, ingests: [fill(50 * MiB)] },
      fill(undefined),
      MiB,
    ],
    [
      'a slice of the room that eviction can make',
      free,
      { free: 100 * MiB, stored: 64 * MiB },
      fill(64 * MiB),
      MiB,
    ],
    [
      'a larger slice if there is more room',
      free,
      { free: 200 * MiB, stored: 412 * MiB },
      fill(MiB),
      8 * MiB,
    ],
    ['a slice of at most 16 MiB', free, { free: 200 * MiB, stored: 64 * GiB }, fill(GiB), 16 * MiB],
    [
      'the free bytes, if they are fewer than a slice',
      free,
      { free: 110 * MiB, stored: 64 * GiB },
      fill(GiB),
      10 * MiB,
    ],
    ['one MiB, if next to nothing is free', free, { free: 100 * MiB + 1, stored: 64 * GiB }, fill(GiB), MiB],
    [
      'one MiB, if less is free than the mark says',
      free,
      { free: 50 * MiB, stored: 64 * GiB },
      fill(GiB),
      MiB,
    ],
    [
      'its share of the free bytes, if there are other fills',
      free,
      { free: 112 * MiB, stored: 64 * GiB, ingests: Array.from({ length: 4 }, () => fill(GiB)) },
      fill(GiB),
      3 * MiB,
    ],
    [
      'one MiB, if there are many other fills',
      free,
      { free: 116 * MiB, stored: 64 * GiB, ingests: Array.from({ length: 48 }, () => fill(GiB)) },
      fill(GiB),
      MiB,
    ],
    [
      'nothing, if eviction cannot make room for all of it',
      free,
      { free: 100 * MiB, stored: GB },
      fill(GB + 1),
      0,
    ],
    [
      'a slice, if eviction can make room for all that it has yet to write',
      free,
      { free: 100 * MiB, stored: 64 * MiB },
      fill(64 * MiB + 1, 1),
      MiB,
    ],
    [
      'nothing, if fills that end sooner take the room',
      free,
      { free: 200 * MiB, ingests: [fill(64 * MiB, MiB), fill(64 * MiB, MiB)] },
      fill(64 * MiB),
      0,
    ],
    [
      'a slice, if the fills that take the room end later',
      free,
      { free: 200 * MiB, ingests: [fill(64 * MiB, MiB), fill(64 * MiB, MiB)] },
      fill(60 * MiB),
      (100 * MiB) / 64,
    ],
    [
      'nothing, if several fills together need more than half of the store',
      free,
      { free: 100 * MiB, stored: 100 * MiB, ingests: [fill(20 * MiB)] },
      fill(31 * MiB),
      0,
    ],
    [
      'a slice, if several fills together need no more than half of the store',
      free,
      { free: 100 * MiB, stored: 100 * MiB, ingests: [fill(20 * MiB)] },
      fill(30 * MiB),
      MiB,
    ],
    [
      'as if a fill that has got more bytes than its size were not there',
      free,
      { free: 100 * MiB, stored: 100 * MiB, ingests: [fill(MiB, 50 * MiB)] },
      fill(100 * MiB),
      MiB,
    ],
    [
      'a slice of the room below the cap, however little is free, if nothing must stay free',
      capped,
      { stored: 360 * MiB, free: MiB },
      fill(undefined),
      10 * MiB,
    ],
    [
      'as if fills of unknown length were not there',
      free,
      { free: 164 * MiB, ingests: [fill(undefined, 1)] },
      fill(64 * MiB),
      MiB,
    ],
    ['everything, if the free space is unknown', free, { free: undefined }, fill(undefined), Infinity],
  ])('is %s', (_, marks, use, asking, expected) => {
    expect(bytesForFill(marks, { stored: 0, ingests: [], free: undefined, ...use }, asking)).toBe(expected);
  });
});
