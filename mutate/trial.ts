import { chooseTests, total, type FileCoverage, type KnownTest } from './coverage.ts';
import type { Candidate } from './mutant.ts';
import type { Outcome } from './report.ts';
import type { Sites } from './sites.ts';
import type { Worker } from './worker.ts';

/** What the tests of one mutant may take together when nothing is changed: a survivor takes all of it. */
const LIMIT_MS = 20_000;
/** How many times what it takes otherwise, a test may take before it is taken to hang; others use the machine, too. */
const PATIENCE = 4;
/** Beside it: for the start of a process, and the loading of modules. */
const START_MS = 30_000;
const TEST_START_MS = 3000;

/**
 * Tries each mutant with the tests that get there.
 * @param workers as many mutants at once
 * @param tell is told of each as soon as it is known
 */
export async function tryAll(
  candidates: readonly Candidate[],
  sites: Sites,
  coverage: readonly FileCoverage[],
  workers: readonly Worker[],
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = candidates.values();
  await Promise.all(
    workers.map(async (worker) => {
      for (const candidate of queue) {
        const tests = chooseTests(coverage, sites.whereaboutsOf(candidate), LIMIT_MS);
        const isKilledByThem = await isKilled(worker, candidate, tests);
        const outcome = { candidate, tests: tests.length, isKilled: isKilledByThem };
        outcomes.push(outcome);
        tell(outcome);
      }
    }),
  );
  return outcomes;
}

async function isKilled(worker: Worker, candidate: Candidate, tests: readonly KnownTest[]): Promise<boolean> {
  if (tests.length === 0) return false;
  const longest = Math.max(...tests.map(({ durationMs }) => durationMs));
  const order = { candidate, tests, timeoutMs: longest * PATIENCE + TEST_START_MS };
  return (await worker.attempt(order, total(tests) * PATIENCE + START_MS)) === 'killed';
}
