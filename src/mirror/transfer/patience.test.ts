import { describe, expect, it } from 'vitest';
import { Patience } from './patience.ts';

/** Returns the patience after a number of breaks without a byte, with one place to ask. */
function brokenInVain(times: number): Patience {
  const patience = new Patience();
  for (let i = 0; i < times; i += 1) patience.broke(false);
  return patience;
}

describe('a transfer that breaks', () => {
  it.each([
    [4, false],
    [5, true],
  ])('%i times without a byte is at an end: %s', (times, isAtAnEnd) => {
    expect(brokenInVain(times).isAtAnEnd(1, 0)).toBe(isAtAnEnd);
  });

  it.each([
    [9, false],
    [10, true],
  ])('%i times without a byte from two places is at an end: %s', (times, isAtAnEnd) => {
    expect(brokenInVain(times).isAtAnEnd(2, 0)).toBe(isAtAnEnd);
  });

  it.each([
    [20, false],
    [21, true],
  ])('%i times, but goes on each time, is at an end: %s', (times, isAtAnEnd) => {
    const patience = new Patience();
    for (let i = 0; i < times; i += 1) patience.broke(true);
    expect(patience.isAtAnEnd(1, 0)).toBe(isAtAnEnd);
  });

  it('is counted anew once it has gone on, and once the place that broke it was dropped', () => {
    const progressed = brokenInVain(4);
    progressed.broke(true);
    expect(progressed.roundsInVain(1)).toBe(0);
    const forgiven = brokenInVain(4);
    forgiven.forgive();
    expect(forgiven.roundsInVain(1)).toBe(0);
  });

  it.each([
    [59_999, false],
    [60_000, true],
  ])('and then brings nothing for %i ms is at an end: %s', (silentMs, isAtAnEnd) => {
    expect(brokenInVain(1).isAtAnEnd(1, silentMs)).toBe(isAtAnEnd);
  });
});

it('a transfer that has not broken is waited for as long as it takes', () => {
  expect(new Patience().isAtAnEnd(1, 3_600_000)).toBe(false);
});

describe('the wait before a transfer is taken up again', () => {
  it.each([
    [0, 0],
    [1, 500],
    [2, 1000],
    [3, 2000],
  ])('after %i breaks is %i ms', (breaks, waitMs) => {
    expect(brokenInVain(breaks).waitMs(1)).toBe(waitMs);
  });

  it('begins when each of several places has been tried', () => {
    expect(brokenInVain(1).waitMs(2)).toBe(0);
    expect(brokenInVain(2).waitMs(2)).toBe(500);
    expect(brokenInVain(3).waitMs(2)).toBe(500);
  });
});
