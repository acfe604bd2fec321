import { describe, expect, it } from 'vitest';
import type { Bench } from './bench.ts';
import { compare, judge } from './verdict.ts';

describe('a goal', () => {
  const samples = {
    'requests/s': { larder: [100, 120, 80], bare: [200, 200, 200] },
    RSS: { larder: [10, 30, 20] },
  };

  it.each([
    [{ atLeast: 0.4 }, true, 0.25],
    [{ atLeast: 0.5 }, true, 0],
    [{ atLeast: 0.625 }, false, -0.2],
    [{ atMost: 0.5 }, true, 0],
    [{ atMost: 0.4 }, false, -0.25],
  ])('of a ratio of 0.5, %j: met %s, margin %d', (bound, isMet, margin) => {
    const verdict = judge({ metric: 'requests/s', against: 'bare', ...bound }, samples);
    expect(verdict).toMatchObject({ value: 0.5, lowest: 0.4, highest: 0.6, isMet });
    expect(verdict.margin).toBeCloseTo(margin, 10);
  });

  it('of a value bounds its median', () => {
    expect(judge({ metric: 'RSS', atMost: 25 }, samples)).toMatchObject({ value: 20, isMet: true });
  });

  it('is not met where nothing was measured', () => {
    expect(judge({ metric: 'requests/s', against: 'nobody', atLeast: 1 }, samples).isMet).toBe(false);
    expect(judge({ metric: 'nothing', atMost: 1 }, samples).isMet).toBe(false);
  });
});

describe('a comparison of two versions', () => {
  const bench: Pick<Bench, 'metrics'> = {
    metrics: {
      'requests/s': { unit: 'requests/s', better: 'more' },
      wall: { unit: 's', better: 'less' },
      p99: { unit: 'ms', better: 'less', isInformation: true },
    },
  };
  const outcomes = (metric: string, later: number[], earlier: number[]) =>
    compare(bench, { [metric]: { later, earlier } }, 'later', 'earlier').map(({ outcome }) => outcome);

  it.each([
    ['requests/s', [80, 81, 79], 'worse'],
    ['requests/s', [125, 120, 130], 'better'],
    ['requests/s', [95, 93, 94], 'same'],
    ['wall', [120, 121, 119], 'worse'],
    ['wall', [80, 81, 79], 'better'],
    ['wall', [105, 104, 103], 'same'],
  ])('by %s of %j for 100 is %s', (metric, later, outcome) => {
    expect(outcomes(metric, later, [100, 100, 100])).toEqual([outcome]);
  });

  it('finds no difference if the rounds contradict each other', () => {
    expect(outcomes('wall', [150, 115, 90, 80, 120], [100, 100, 100, 100, 100])).toEqual(['same']);
  });

  it('leaves out what is only information', () => {
    expect(outcomes('p99', [500], [100])).toEqual([]);
  });
});
