import type { Goal } from './bench.ts';

/** Formats with three significant digits: 41,200; 12.3; 0.0123. Returns a dash for NaN. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  return value.toLocaleString('en-US', { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}

/** Formats a share in percent: `12 %`, `-5 %`. */
export function formatShare(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)} %` : '–';
}

/** Formats a goal: `CPU s/GB ≤ 0.45× distribution`, `RSS ≤ 250`. */
export function formatGoal({ metric, against, atLeast, atMost }: Goal, unit: string): string {
  const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  if (against !== undefined) return `${metric}: ${bound}× ${against}`;
  return metric === unit ? `${metric}: ${bound}` : `${metric}: ${bound} ${unit}`;
}

/** Formats a table of Markdown. The first row holds the heads; all columns but the first hold figures. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const [heads = [], ...body] = rows;
  const rule = heads.map((_, i) => (i === 0 ? '---' : '---:'));
  return [heads, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
