/** Returns the median of the values: of an even number, the mean of the two in the middle. NaN if there are none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Returns the value below which the share `at` (0 to 1) of the values is, interpolated. NaN if there are none. */
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
  /** The bounds of the middle half of the rounds. */
  readonly quartiles: readonly [lower: number, upper: number];
}

/**
 * Compares by `values[i] / others[i]` over the rounds that both have: a disturbance of a round falls on both sides of
 * it, so these ratios vary less than the values do.
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
