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
    ['a store above them, down to the lower one', CAPPED, 981, [], false, 31],
    ['a store between the marks while evicting', CAPPED, 980, [], true, 30],
    ['a store at the lower mark', CAPPED, 950, [], true, 0],
    ['what a fill will take', CAPPED, 900, [fill(100)], false, 50],
    ['what a fill has taken already', CAPPED, 900, [fill(100, 99)], false, 50],
    ['nothing for fills of unknown size', CAPPED, 900, [fill(undefined, 60), fill(undefined, 40)], false, 0],
    ['fills that take more than half of it, for half of it', CAPPED, 900, [fill(400), fill(400)], false, 450],
    ['a fill that fits just, for half of it', CAPPED, 900, [fill(1000)], false, 450],
    ['a fill that never fits, for nothing', CAPPED, 900, [fill(1001)], false, 0],
    [
      'what a fill claims, for a GiB beyond what it has',
      { ...NONE, maxSize: 100 * GiB },
      100 * GiB,
      [fill(60 * GiB, GiB)],
      false,
      4 * GiB,
    ],
    ['one that turns out never to fit, neither', CAPPED, 900, [fill(undefined, 1001)], false, 0],
  ])('counts %s', (_, marks, stored, ingests, isEvicting, expected) => {
    expect(bytesOverCap(marks, { ...IDLE, stored, ingests }, isEvicting)).toBe(expected);
  });

  it('what is begun is not done at once, and what is done leaves the store below both marks', () => {
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
    ['nothing where nothing is to be free', NONE, { free: 0 }, 0],
    ['nothing where it cannot be told', marks, { free: undefined }, 0],
    ['nothing while enough is', marks, { free: 1000 }, 0],
    ['what is missing and a little more', marks, { free: 900 }, 150],
    ['what fills have still to write', marks, { free: 1000, ingests: [fill(300, 100)] }, 250],
    [
      'that, where all of the store makes room for it just',
      marks,
      { free: 1000, stored: 250, ingests: [fill(300, 100)] },
      250,
    ],
    [
      'that, as if a fill that is whole were not there',
      marks,
      { free: 1000, stored: 400, ingests: [fill(300, 100), fill(50, 50)] },
      250,
    ],
    [
      'all that is missing, where the fill is whole',
      marks,
      { free: 750, stored: 400, ingests: [fill(500, 500)] },
      300,
    ],
    [
      'a GiB of what a fill claims',
      { ...NONE, minFree: 10 * GiB },
      { free: 10 * GiB, stored: 1e12, ingests: [fill(60 * GiB)] },
      1.25 * GiB,
    ],
    ['nothing for a fill of unknown size', marks, { free: 1000, ingests: [fill(undefined, 100)] }, 0],
    ['nothing for one that has just begun', marks, { free: 1000, ingests: [fill(undefined)] }, 0],
    ['nothing for a fill that never fits', marks, { free: 1000, ingests: [fill(1e6)] }, 0],
    ['what is missing without a fill that never fits', marks, { free: 900, ingests: [fill(1e6)] }, 150],
    ['more than there is, where that is not enough', marks, { free: 0, stored: 700 }, 1050],
    [
      'half of what is stored, where a fill of unknown length has taken the rest',
      marks,
      { free: 0, stored: 700, ingests: [fill(undefined, 5000)] },
      350,
    ],
    [
      'half of it, where several fills have',
      marks,
      { free: 0, stored: 700, ingests: [fill(3000, 2500), fill(3000, 2500)] },
      350,
    ],
    [
      'that, and what other programs have taken',
      marks,
      { free: 0, stored: 700, ingests: [fill(undefined, 400)] },
      1000,
    ],
  ])('means %s', (_, marks, use, expected) => {
    expect(bytesUnderFree(marks, { stored: 5000, ingests: [], ...use })).toBe(expected);
  });
});

describe('room for a fill', () => {
  it.each([
    ['nothing was asked for', 0, { stored: 5 * MiB, free: 0 }, 0],
    ['the disk is full', 10 * MiB, { stored: 50 * MiB, free: 0 }, 10 * MiB],
    ['some is free', 10 * MiB, { stored: 50 * MiB, free: 4 * MiB }, 6 * MiB],
    ['a quota is full though the disk is not', 10 * MiB, { stored: 50 * MiB, free: 99 * MiB }, MiB],
    ['what is free cannot be told', 10 * MiB, { stored: 50 * MiB, free: undefined }, 10 * MiB],
    ['all of the store does just', 10 * MiB, { stored: 6 * MiB, free: 4 * MiB }, 6 * MiB],
    ['all of the store would not do', 10 * MiB, { stored: 5 * MiB, free: 4 * MiB }, 0],
  ])('where %s', (_, wanted, use, expected) => {
    expect(bytesForRoom(wanted, { ingests: [], ...use })).toBe(expected);
  });
});

describe('what a fill may write', () => {
  const GB = 1000 * MiB;
  const capped = { ...NONE, maxSize: GB };
  const free = { ...NONE, minFree: 100 * MiB };

  it.each<[string, Marks, Partial<DiskUse>, ReturnType<typeof fill>, number]>([
    ['everything, where nothing is limited', NONE, {}, fill(undefined), Infinity],
    ['everything of what fits the cap', capped, { stored: GB }, fill(GB), Infinity],
    ['nothing of what does not', capped, { stored: 0 }, fill(GB + 1), 0],
    [
      'a slice of what is left below the cap, of unknown size',
      capped,
      { stored: 360 * MiB },
      fill(undefined),
      10 * MiB,
    ],
    [
      'less what other fills have taken',
      capped,
      { stored: 320 * MiB, ingests: [fill(200 * MiB, 40 * MiB)] },
      fill(undefined),
      10 * MiB,
    ],
    [
      'its part of that, where several are of unknown size',
      capped,
      { stored: 100 * MiB, ingests: [fill(undefined, 50 * MiB), fill(undefined, 50 * MiB)] },
      fill(undefined, 50 * MiB),
      6.25 * MiB,
    ],
    ['nothing once the cap is reached', capped, { stored: GB }, fill(undefined, 1), 0],
    ['nothing where there is next to nothing', capped, { stored: GB - 64 * KiB + 1 }, fill(undefined), 0],
    ['all of the least that counts as room', capped, { stored: GB - 64 * KiB }, fill(undefined), 64 * KiB],
    ['a slice of what is free beyond the mark', free, { free: 740 * MiB }, fill(undefined), 10 * MiB],
    ['all of it where it is little', free, { free: 100.5 * MiB }, fill(undefined), 0.5 * MiB],
    [
      'less than it leaves, of unknown size',
      free,
      { free: 160 * MiB, ingests: [fill(undefined, 52 * MiB)] },
      fill(undefined, 52 * MiB),
      MiB,
    ],
    [
      'nothing once it has taken as much as is left',
      free,
      { free: 160 * MiB, ingests: [fill(undefined, 60 * MiB)] },
      fill(undefined, 60 * MiB),
      0,
    ],
    [
      'nothing once several of unknown size have',
      free,
      { free: 160 * MiB, ingests: [fill(undefined, 50 * MiB), fill(undefined, 10 * MiB)] },
      fill(undefined, 10 * MiB),
      0,
    ],
    ['nothing at the mark', free, { free: 100 * MiB, stored: GB }, fill(undefined), 0],
    ['less what others take', free, { free: 160 * MiB, ingests: [fill(50 * MiB)] }, fill(undefined), MiB],
    [
      'a slice of what eviction can make room for',
      free,
      { free: 100 * MiB, stored: 64 * MiB },
      fill(64 * MiB),
      MiB,
    ],
    ['a larger one where there is more', free, { free: 200 * MiB, stored: 412 * MiB }, fill(MiB), 8 * MiB],
    ['of no more than 16 MiB', free, { free: 200 * MiB, stored: 64 * GiB }, fill(GiB), 16 * MiB],
    ['what is free, where that is less', free, { free: 110 * MiB, stored: 64 * GiB }, fill(GiB), 10 * MiB],
    ['one MiB where next to nothing is', free, { free: 100 * MiB + 1, stored: 64 * GiB }, fill(GiB), MiB],
    ['nor more below the mark', free, { free: 50 * MiB, stored: 64 * GiB }, fill(GiB), MiB],
    [
      'its part of what is free, where there are others',
      free,
      { free: 112 * MiB, stored: 64 * GiB, ingests: Array.from({ length: 4 }, () => fill(GiB)) },
      fill(GiB),
      3 * MiB,
    ],
    [
      'one MiB where they are many',
      free,
      { free: 116 * MiB, stored: 64 * GiB, ingests: Array.from({ length: 48 }, () => fill(GiB)) },
      fill(GiB),
      MiB,
    ],
    ['nothing that it cannot make room for', free, { free: 100 * MiB, stored: GB }, fill(GB + 1), 0],
    [
      'but what is there already counts',
      free,
      { free: 100 * MiB, stored: 64 * MiB },
      fill(64 * MiB + 1, 1),
      MiB,
    ],
    [
      'nothing where fills that end sooner take it',
      free,
      { free: 200 * MiB, ingests: [fill(64 * MiB, MiB), fill(64 * MiB, MiB)] },
      fill(64 * MiB),
      0,
    ],
    [
      'a slice, where those that take it end later',
      free,
      { free: 200 * MiB, ingests: [fill(64 * MiB, MiB), fill(64 * MiB, MiB)] },
      fill(60 * MiB),
      (100 * MiB) / 64,
    ],
    [
      'nothing, together with others, of the half of the store that was used last',
      free,
      { free: 100 * MiB, stored: 100 * MiB, ingests: [fill(20 * MiB)] },
      fill(31 * MiB),
      0,
    ],
    [
      'a slice of the other half',
      free,
      { free: 100 * MiB, stored: 100 * MiB, ingests: [fill(20 * MiB)] },
      fill(30 * MiB),
      MiB,
    ],
    [
      'as if one that has got more than it told were not there',
      free,
      { free: 100 * MiB, stored: 100 * MiB, ingests: [fill(MiB, 50 * MiB)] },
      fill(100 * MiB),
      MiB,
    ],
    [
      'whatever is free, where nothing is to stay free',
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
    ['everything where what is free cannot be told', free, { free: undefined }, fill(undefined), Infinity],
  ])('is %s', (_, marks, use, asking, expected) => {
    expect(bytesForFill(marks, { stored: 0, ingests: [], free: undefined, ...use }, asking)).toBe(expected);
  });
});
