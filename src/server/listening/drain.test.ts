import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { untilPullsEnd } from './drain.ts';

const TIMES = { delayMs: 5_000, limitMs: 25_000 };

/**
 * Returns when new connections are no longer accepted, and the time that is left then, milliseconds.
 * @param served periods in which a request is served
 */
async function drained(...served: readonly (readonly [from: number, to: number])[]): Promise<object> {
  const clock = new ManualClock();
  const isServing = (): boolean =>
    served.some(([from, to]) => clock.monotonic() >= from && clock.monotonic() < to);
  const state = { leftMs: -1 };
  const waiting = untilPullsEnd(clock, isServing, TIMES).then((leftMs) => Object.assign(state, { leftMs }));
  await setImmediate();
  while (state.leftMs < 0 && clock.monotonic() < 60_000) {
    clock.advance(100);
    await setImmediate();
  }
  await waiting;
  return { at: clock.monotonic(), ...state };
}

describe('new connections are accepted', () => {
  it.each<[string, readonly (readonly [number, number])[], number]>([
    ['for the delay where nothing is served', [], 5_000],
    ['for the delay where the last pull has ended a second before', [[0, 3_900]], 5_000],
    ['until a second after the last answer', [[0, 4_900]], 5_800],
    [
      'while a client asks for one layer after the other',
      [
        [0, 6_000],
        [6_900, 9_000],
      ],
      9_900,
    ],
    [
      'no longer than a client takes between two layers',
      [
        [0, 6_000],
        [7_200, 9_000],
      ],
      6_900,
    ],
    ['until half of the limit is over', [[0, 60_000]], 17_500],
  ])('%s', async (_, served, at) => {
    expect(await drained(...served)).toEqual({ at, leftMs: 30_000 - at });
  });
});
