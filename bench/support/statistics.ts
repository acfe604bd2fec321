/** The middle of the values, by size; the mean of the two in the middle where their number is even. NaN of none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `at` (0 to 1) of the values is, interpolated. NaN of none. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * at;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below === above ? below : below + (above - below) * (position - Math.floor(position));
}

/** How one series compares with another that was measured beside it, round by round. */
export interface PairedRatio {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** What half of the rounds lie between. */
  readonly quartiles: readonly [lower: number, upper: number];
}

/**
 * `values[i] / others[i]` over the rounds that both have: what disturbs a round disturbs both sides of it, so these
 * vary less than the values do.
 */
export function pairedRatio(values: readonly number[], others: readonly number[]): PairedRatio {
  const rounds = Math.min(values.length, others.length);
  const ratios = Array.from(
    { length: rounds },
    (_, i) => (values[i] ?? Number.NaN) / (others[i] ?? Number.NaN),
  );
  return {
    median: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  };
}
