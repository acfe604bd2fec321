import { array, assert, double, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, pairedRatio, quantile } from './statistics.ts';

describe('median', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of no values is NaN', () => {
    expect(median([])).toBeNaN();
  });
});

describe('quantile', () => {
  it.each([
    [0, 1],
    [0.25, 2],
    [0.9, 4.6],
    [1, 5],
  ])('at %d of 1 to 5 is %d', (at, expected) => {
    expect(quantile([5, 4, 3, 2, 1], at)).toBeCloseTo(expected, 10);
  });

  it('lies between the least and the greatest, and grows', () => {
    const values = array(double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
    const share = double({ noNaN: true, min: 0, max: 1 });
    assert(
      property(values, share, share, (values, a, b) => {
        const [low, high] = [quantile(values, Math.min(a, b)), quantile(values, Math.max(a, b))];
        const slack = 1e-6;
        expect(low).toBeGreaterThanOrEqual(Math.min(...values) - slack);
        expect(high).toBeLessThanOrEqual(Math.max(...values) + slack);
        expect(low).toBeLessThanOrEqual(high + slack);
      }),
    );
  });
});

describe('a paired ratio', () => {
  it('compares round by round, so that a disturbed round stays one', () => {
    const ratio = { median: 2, lowest: 2, highest: 2.5, quartiles: [2, 2.25] };
    expect(pairedRatio([10, 2, 10], [5, 1, 4])).toEqual(ratio);
  });

  it('uses only the rounds that both have', () => {
    expect(pairedRatio([1, 2, 3], [1]).highest).toBe(1);
  });
});
