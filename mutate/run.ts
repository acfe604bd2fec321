import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { FileCoverage } from './coverage.ts';
import { findMutants } from './find-mutants.ts';
import type { Candidate } from './mutant.ts';
import { probed } from './probe.ts';
import { GOAL, killRatio, summary, survivorLine, type Outcome } from './report.ts';
import { Runner } from './runner.ts';
import { sample } from './sample.ts';
import { Sites } from './sites.ts';
import { tryAll } from './trial.ts';
import { Worker } from './worker.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src/content', 'src/mirror', 'src/store', 'src/eviction', 'src/upstream/auth'];
/** Mutants at the same time: one per core of the machine that the time limit is meant for. */
const WORKERS = 2;

interface Options {
  readonly seed: number;
  readonly count: number;
  readonly only?: string;
}

await new Command('mutate')
  .description('changes the sources a little, many times over, and tells which changes no test notices')
  .option('--seed <number>', 'which mutants are chosen', wholeNumber, 1)
  .option('--count <number>', 'how many', wholeNumber, 300)
  .option('--only <path>', 'those of this file or folder alone')
  .action(main)
  .parseAsync();

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}

async function main({ seed, count, only = '' }: Options): Promise<void> {
  const all = candidates().filter(({ path }) => path.startsWith(only));
  const chosen = sample(all, count, seed);
  const sites = new Sites(all);
  console.error(`${chosen.length} of ${all.length} mutants; running the tests once, to see which get where`);
  const coverage = await measure(sites);
  console.error(`${Math.round(performance.now() / 1000)} s; trying the mutants`);
  const outcomes = await attempt(chosen, sites, coverage);
  console.log(summary(outcomes, seed, performance.now() / 1000));
  process.exitCode = killRatio(outcomes) >= GOAL ? 0 : 1;
}

function candidates(): Candidate[] {
  return globSync(
    FOLDERS.map((folder) => `${folder}/**/*.ts`),
    { cwd: ROOT },
  )
    .filter((path) => !/\.(?:test|contract)\.ts$/.test(path))
    .sort()
    .flatMap((path) => findMutants(sourceOf(path)).map((mutant) => ({ path, mutant })));
}

async function measure(sites: Sites): Promise<FileCoverage[]> {
  await using runner = await Runner.start({
    root: ROOT,
    load: (path) => {
      const ofPath = sites.of(path);
      return ofPath.length === 0 ? undefined : probed(sourceOf(path), ofPath);
    },
    isThorough: true,
    setupFiles: ['test/support/fast-check-setup.ts', 'mutate/probe-setup.ts'],
    workers: WORKERS,
  });
  return await runner.runAll();
}

async function attempt(
  chosen: readonly Candidate[],
  sites: Sites,
  coverage: readonly FileCoverage[],
): Promise<Outcome[]> {
  using stack = new DisposableStack();
  const workers = Array.from({ length: WORKERS }, () => stack.use(new Worker()));
  return await tryAll(chosen, sites, coverage, workers, tell);
}

/** Prints a survivor at once: the end of the run may be half an hour away. */
function tell(outcome: Outcome): void {
  if (!outcome.isKilled) console.log(survivorLine(outcome, sourceOf(outcome.candidate.path)));
}

function sourceOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
