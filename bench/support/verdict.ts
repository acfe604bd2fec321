import type { Bench, Goal, Metric, Samples } from './bench.ts';
import { median, pairedRatio, type PairedRatio } from './statistics.ts';

/** Whether a goal was met, and by how much. */
export interface Verdict {
  readonly goal: Goal;
  /** The median, or the median of the ratios; NaN if it was not measured. */
  readonly value: number;
  /** The least and the greatest of the rounds. */
  readonly lowest: number;
  readonly highest: number;
  readonly isMet: boolean;
  /** The share by which the value is better (above 0) or worse (below 0) than the bound: 0.1 is 10 %. */
  readonly margin: number;
}

export function judge(goal: Goal, samples: Samples): Verdict {
  const { median: value, lowest, highest } = figuresOf(goal, samples);
  const bound = goal.atLeast ?? goal.atMost ?? Number.NaN;
  const margin = goal.atLeast === undefined ? 1 - value / bound : value / bound - 1;
  return { goal, value, lowest, highest, margin, isMet: margin >= 0 };
}

function figuresOf(goal: Goal, samples: Samples): { median: number; lowest: number; highest: number } {
  const ofMetric = samples[goal.metric] ?? {};
  const values = ofMetric['larder'] ?? [];
  if (goal.against !== undefined) return pairedRatio(values, ofMetric[goal.against] ?? []);
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) };
}

/** A comparison of a version with an earlier one, by one metric. */
export interface Comparison {
  readonly metric: string;
  /** The median ratio of the paired rounds, later / earlier. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  readonly outcome: 'better' | 'same' | 'worse';
}

/** Half of the 20 % regression that must be noticed: the median of a few rounds is off by less than this. */
const NOTABLE = 0.1;

/** Compares two versions by each metric that is not only information. */
export function compare(
  bench: Pick<Bench, 'metrics'>,
  samples: Samples,
  later: string,
  earlier: string,
): readonly Comparison[] {
  return Object.entries(bench.metrics)
    .filter(([metric, { isInformation }]) => isInformation !== true && samples[metric] !== undefined)
    .map(([metric, { better }]) => {
      const ratio = pairedRatio(samples[metric]?.[later] ?? [], samples[metric]?.[earlier] ?? []);
      const { median, lowest, highest } = ratio;
      return { metric, ratio: median, lowest, highest, outcome: outcomeOf(ratio, better) };
    });
}

/** A difference counts only if three quarters of the rounds show it: so one disturbed round makes none. */
function outcomeOf(
  { median, quartiles: [lower, upper] }: PairedRatio,
  better: Metric['better'],
): Comparison['outcome'] {
  const isLess = median < 1 - NOTABLE && upper < 1;
  const isMore = median > 1 / (1 - NOTABLE) && lower > 1;
  if (!isLess && !isMore) return 'same';
  return isMore === (better === 'more') ? 'better' : 'worse';
}
