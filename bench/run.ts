import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CATALOGUE, SMOKE } from './catalogue.ts';
import { build } from './support/build.ts';
import { checkOut } from './support/check-out.ts';
import type { Bench, BenchContext, Scale, Side } from './support/bench.ts';
import { temporaryDirectory } from './support/directory.ts';
import { writePage } from './support/page.ts';
import { requirePrograms } from './support/programs.ts';
import { comparisonTable, figuresTable, goalsTable, type Result } from './support/results.ts';
import { compare } from './support/verdict.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/performance.md');

interface Options {
  readonly only?: readonly Bench[];
  readonly quick?: true;
  readonly smoke?: true;
  readonly against?: string;
  readonly output?: string;
  readonly json?: string;
  readonly profile?: string;
}

/** Exit code for a run that could not begin; 1 is for a run that has shown a failure. */
const EXIT_USAGE = 2;

const HELP = `
Benches:
${CATALOGUE.map(({ name, title }) => `  ${name.padEnd(26)} ${title}`).join('\n')}

What is measured is the sources as they are in this folder, committed or not. For daily use, some seconds a bench:
  npm run bench -- --quick --only warm-manifest-by-tag
Whether a change made anything slower (exit code 1 if so):
  npm run bench -- --against HEAD --only warm-blob
A run of everything takes about a quarter of an hour and writes its figures into docs/performance.md; what is
written there by hand is kept.`;

const program = new Command('bench')
  .description('measures Larder beside its peers, in turn, on this machine')
  .option('--only <name...>', 'these benches alone', findBench)
  .option('--quick', 'seconds a bench; nothing is written')
  .option('--smoke', 'as little as each needs to run at all; the figures mean nothing')
  .addOption(
    new Option(
      '--against <revision>',
      'compare with an earlier version of the sources, and with nothing else',
    ).conflicts('output'),
  )
  .option('--output <file>', 'write the figures into this page, however much was run')
  .option('--json <file>', 'write every value of every round into this file')
  .option(
    '--profile <directory>',
    'have each Larder write what its CPU did (.cpuprofile) into this directory',
  )
  .addHelpText('after', HELP)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE))
  .action(main);
// The exit of this process removes servers and directories. A signal alone would end it without that.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exit(EXIT_USAGE);
}

function findBench(name: string, found: readonly Bench[] = []): readonly Bench[] {
  const bench = CATALOGUE.find((bench) => bench.name === name);
  if (bench === undefined) throw new InvalidArgumentError('There is no such bench.');
  return [...found, bench];
}

async function main(options: Options): Promise<void> {
  await requirePrograms();
  // Checked now, not after a quarter of an hour of measuring.
  for (const file of [options.json, options.output])
    if (file !== undefined) await access(dirname(file), constants.W_OK);
  const scale = scaleOf(options);
  await using stack = new AsyncDisposableStack();
  const sides = await sidesOf(options, stack);
  const results: Result[] = [];
  for (const bench of options.only ?? (scale === 'smoke' ? SMOKE : CATALOGUE)) {
    const result = await measure(bench, scale, sides);
    if (result !== undefined) results.push(result);
  }
  if (options.json !== undefined) await writeFile(options.json, jsonOf(results));
  const [, earlier] = sides;
  if (earlier !== undefined) return showComparison(results, earlier);
  console.log(`\n${goalsTable(results)}`);
  const isWhole = scale === 'full' && options.only === undefined && process.exitCode === undefined;
  const page = options.output ?? (isWhole ? PAGE : undefined);
  if (page !== undefined) await writePage(page, results);
}

/** Returns the program in this folder, and the earlier version that it is compared with, if any. */
async function sidesOf({ against, profile }: Options, stack: AsyncDisposableStack): Promise<readonly Side[]> {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const built = async (name: string, root: string): Promise<Side> => {
    const { nodeArgs } = stack.use(await build(root));
    return { name, root, nodeArgs: [...profiling, ...nodeArgs] };
  };
  // First, since the revision may not exist.
  const earlier = against === undefined ? undefined : stack.use(await checkOut(ROOT, against));
  const larder = await built('larder', ROOT);
  if (earlier === undefined) return [larder];
  return [larder, await built(`larder at ${earlier.commit.slice(0, 10)}`, earlier.root)];
}

function scaleOf({ quick, smoke }: Options): Scale {
  if (smoke) return 'smoke';
  return quick ? 'quick' : 'full';
}

/** Runs a bench. If it fails, the others are still measured. */
async function measure(bench: Bench, scale: Scale, sides: readonly Side[]): Promise<Result | undefined> {
  const startedAt = performance.now();
  console.log(`\n== ${bench.name}: ${bench.title}`);
  await using directory = await temporaryDirectory(bench.name);
  const note = (text: string): void => console.log(text);
  const context: BenchContext = { scale, sides, hasPeers: sides.length === 1, directory, note };
  try {
    const result = { bench, samples: await bench.run(context) };
    console.log(`${figuresTable(result)}\n${Math.round((performance.now() - startedAt) / 1000)} s`);
    return result;
  } catch (error) {
    console.error(`${bench.name} failed:`, error);
    process.exitCode = 1;
    return undefined;
  }
}

function showComparison(results: readonly Result[], earlier: Side): void {
  const rows = results.flatMap(({ bench, samples }) =>
    compare(bench, samples, 'larder', earlier.name).map((comparison) => [bench, comparison] as const),
  );
  console.log(`\n${comparisonTable(rows)}`);
  const worse = rows.filter(([, { outcome }]) => outcome === 'worse');
  if (worse.length === 0) return;
  console.log(
    `\nWORSE than ${earlier.name}: ${worse.map(([bench, { metric }]) => `${bench.name} (${metric})`).join(', ')}`,
  );
  process.exitCode = 1;
}

function jsonOf(results: readonly Result[]): string {
  const entries = results.map(({ bench, samples }) => [bench.name, samples]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
