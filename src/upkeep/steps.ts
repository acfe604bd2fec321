import type { Clock } from '../clock.ts';

/** A step's counts, by name. */
export type StepStats = Readonly<Record<string, number>>;

/** One named part of a maintenance run. */
export type Step = () => Promise<StepStats>;

/** A finished step, with its duration in milliseconds and its counts. */
export interface StepReport {
  readonly step: string;
  readonly durationMs: number;
  readonly stats: StepStats;
}

/** Runs the steps in their order, one after the other, and times each. @throws what a step throws */
export async function runSteps(
  steps: Readonly<Record<string, Step>>,
  clock: Clock,
  onStep: (report: StepReport) => void = () => {},
): Promise<readonly StepReport[]> {
  const reports: StepReport[] = [];
  for (const [step, run] of Object.entries(steps)) {
    const startedAt = clock.monotonic();
    const stats = await run();
    const report = { step, durationMs: Math.round(clock.monotonic() - startedAt), stats };
    reports.push(report);
    onStep(report);
  }
  return reports;
}

/** Adds up the stats of all steps. */
export function totalsOf(reports: readonly StepReport[]): StepStats {
  const totals: Record<string, number> = {};
  for (const { stats } of reports) {
    for (const [name, count] of Object.entries(stats)) totals[name] = (totals[name] ?? 0) + count;
  }
  return totals;
}
