import type { Bench, Samples } from './bench.ts';
import { formatGoal, formatNumber, formatShare, formatTable } from './format.ts';
import { median } from './statistics.ts';
import { judge, type Comparison, type Verdict } from './verdict.ts';

/** The measurements of a bench. */
export interface Result {
  readonly bench: Bench;
  readonly samples: Samples;
}

/** Formats a table of each contestant's medians, and the least and the greatest of its rounds. */
export function figuresTable({ bench, samples }: Result): string {
  const metrics = Object.keys(samples);
  const contestants = [...new Set(metrics.flatMap((metric) => Object.keys(samples[metric] ?? {})))];
  const heads = metrics.map((metric) => head(metric, bench.metrics[metric]?.unit ?? ''));
  const rows = contestants.map((name) => [name, ...metrics.map((metric) => cell(samples[metric]?.[name]))]);
  return formatTable([['', ...heads], ...rows]);
}

function head(metric: string, unit: string): string {
  return metric === unit ? metric : `${metric}, ${unit}`;
}

function cell(values: readonly number[] = []): string {
  if (values.length === 0) return '';
  const text = formatNumber(median(values));
  return values.length === 1 ? text : `${text} (${span(Math.min(...values), Math.max(...values))})`;
}

function span(lowest: number, highest: number): string {
  return `${formatNumber(lowest)}–${formatNumber(highest)}`;
}

/** Formats a table of all goals: the measured value, and whether and by how much the goal was met. */
export function goalsTable(results: readonly Result[]): string {
  const rows = results.flatMap(({ bench, samples }) =>
    bench.goals.map((goal) => {
      const unit = bench.metrics[goal.metric]?.unit ?? '';
      return [bench.title, formatGoal(goal, unit), ...verdictCells(judge(goal, samples))];
    }),
  );
  return formatTable([['bench', 'goal', 'measured', 'of the rounds', 'met'], ...rows]);
}

function verdictCells({ goal, value, lowest, highest, isMet, margin }: Verdict): readonly string[] {
  const times = goal.against === undefined ? '' : '×';
  if (Number.isNaN(value)) return [formatNumber(value), '', 'not measured'];
  const met = isMet ? `yes, by ${formatShare(margin)}` : `**no, by ${formatShare(-margin)}**`;
  return [`${formatNumber(value)}${times}`, span(lowest, highest), met];
}

/** Formats a table that compares a version of the program with an earlier one. */
export function comparisonTable(rows: readonly (readonly [Bench, Comparison])[]): string {
  const cells = rows.map(([bench, { metric, ratio, lowest, highest, outcome }]) => [
    bench.title,
    metric,
    `${formatNumber(ratio)}×`,
    span(lowest, highest),
    outcome === 'worse' ? '**WORSE**' : outcome,
  ]);
  return formatTable([['bench', 'metric', 'now / then', 'of the rounds', ''], ...cells]);
}
