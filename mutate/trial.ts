import { chooseTests, total, type FileCoverage, type KnownTest } from './coverage.ts';
import type { Candidate } from './mutant.ts';
import type { Outcome } from './report.ts';
import type { Sites } from './sites.ts';
import type { Worker } from './worker.ts';

/** The longest that the tests of one mutant may take together without it: a survivor takes all of that. */
const LIMIT_MS = 20_000;
/** A test that takes this many times its usual duration counts as hanging. Large, since the machine may be busy. */
const PATIENCE = 4;
/** Additional time for the start of a process and the loading of modules. */
const START_MS = 30_000;
const TEST_START_MS = 3000;

/**
 * Tries each mutant with the tests that run its site.
 * @param workers number of mutants at the same time
 * @param tell called with each outcome as soon as it is known
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
