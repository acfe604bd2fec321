import { lineOf, type Candidate } from './mutant.ts';

/** The result of trying a mutant. */
export interface Outcome {
  readonly candidate: Candidate;
  readonly isKilled: boolean;
  /** The most tests that were run. */
  readonly tests: number;
}

/** The share of the mutants that must be killed. */
export const GOAL = 0.9;

/** @returns the share of the mutants that was killed, from 0 to 1 */
export function killRatio(outcomes: readonly Outcome[]): number {
  if (outcomes.length === 0) return 0;
  return outcomes.filter(({ isKilled }) => isKilled).length / outcomes.length;
}

/** Formats a line about a mutant that no test has noticed. @param source the text that the mutant changes */
export function survivorLine({ candidate, tests }: Outcome, source: string): string {
  const { path, mutant } = candidate;
  const text = source.slice(mutant.start, mutant.end).replaceAll(/\s+/g, ' ');
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  const reached = tests === 0 ? ' (no test gets there)' : '';
  return `${path}:${lineOf(source, mutant.start)} ${mutant.change}: ${short}${reached}`;
}

/** Formats the result of a run. @param seconds the run's duration */
export function summary(outcomes: readonly Outcome[], seed: number, seconds: number): string {
  const killed = outcomes.filter(({ isKilled }) => isKilled).length;
  const percent = (killRatio(outcomes) * 100).toFixed(1);
  return `${killed} of ${outcomes.length} mutants killed (${percent} %), seed ${seed}, ${Math.round(seconds)} s`;
}
