import type { Goal } from './bench.ts';

/** With three digits that say something: 41,200; 12.3; 0.0123. A dash for what is no number. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  return value.toLocaleString('en-US', { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}

/** `12 %`, `-5 %`. */
export function formatShare(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)} %` : '–';
}

/** `CPU s/GB ≤ 0.45× distribution`, `RSS ≤ 250`. */
export function formatGoal({ metric, against, atLeast, atMost }: Goal, unit: string): string {
  const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  if (against !== undefined) return `${metric}: ${bound}× ${against}`;
  return metric === unit ? `${metric}: ${bound}` : `${metric}: ${bound} ${unit}`;
}

/** A table of Markdown: rows of cells, the first of which are the heads. All but the first column hold figures. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const [heads = [], ...body] = rows;
  const rule = heads.map((_, i) => (i === 0 ? '---' : '---:'));
  return [heads, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
