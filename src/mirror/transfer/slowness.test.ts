import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Slowness } from './slowness.ts';

const KiB = 1024;
const MINUTE = 60_000;

/** Returns the seconds at which a transfer with these arrivals, in bytes and seconds of waiting, is requested anew. */
function renewals(arrivals: Iterable<readonly [bytes: number, seconds: number]>): number[] {
  const slowness = new Slowness();
  const times: number[] = [];
  let now = 0;
  for (const [bytes, seconds] of arrivals) {
    now += seconds;
    if (slowness.arrived(bytes, seconds * 1_000, now * 1_000)) times.push(now);
  }
  return times;
}

function repeated(count: number, ...pattern: [number, number][]): [number, number][] {
  return Array.from({ length: count }, () => pattern).flat();
}

describe('a transfer is requested anew', () => {
  test.each<[string, [number, number][], number[]]>([
    ['a byte a second: after a minute, and every five minutes', repeated(660, [1, 1]), [60, 360, 660]],
    ['just below 16 KiB a second', repeated(61, [16 * KiB - 1, 1]), [60]],
    ['exactly 16 KiB a second: never', repeated(1_000, [16 * KiB, 1]), []],
    ['a byte too few in a minute', [[16 * KiB * 60 - 1, 60]], [60]],
    [
      'a byte too few in a minute that follows a fast one',
      [
        [16 * KiB * 60, 60],
        [16 * KiB * 60 - 1, 60],
      ],
      [120],
    ],
    ['a burst that makes up for a silence: never', repeated(100, [1, 29], [600 * KiB, 1]), []],
    ['a burst that does not', repeated(10, [1, 29], [100 * KiB, 1]), [60]],
    ['slow for less than a minute, then fast: never', [...repeated(50, [1, 1]), [9 * 1024 * KiB, 11]], []],
    [
      'fast, then slow: after a slow minute',
      [[9 * 1024 * KiB, 61], ...repeated(61, [1, 1] as [number, number])],
      [121],
    ],
    ['nothing is waited for: never', repeated(1_000, [1, 0]), []],
  ])('%s', (_, arrivals, expected) => {
    expect(renewals(arrivals)).toEqual(expected);
  });

  test('at most once in five minutes, however its bytes come', () => {
    const arrival = fc.tuple(fc.nat(2_000 * KiB), fc.nat(90));
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 200 }), (arrivals) => {
        const times = renewals(arrivals);
        for (const [index, time] of times.entries()) {
          expect((time - (times[index - 1] ?? -Infinity)) * 1_000).toBeGreaterThanOrEqual(5 * MINUTE);
        }
      }),
    );
  });
});
