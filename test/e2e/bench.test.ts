import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { SMOKE } from '../../bench/catalogue.ts';
import type { Samples } from '../../bench/support/bench.ts';
import { attempt, run } from '../support/e2e/process.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNNER = join(ROOT, 'bench/run.ts');

type Results = Readonly<Record<string, Samples>>;

/** As little as each bench needs to run: that it has figures is what is looked at, and not what they are. */
async function bench(...args: string[]): Promise<{ results: Results; output: string }> {
  await using directory = await temporaryDirectory('bench');
  const file = join(directory.path, 'results.json');
  const exit = await attempt(process.execPath, [RUNNER, '--smoke', '--json', file, ...args], { cwd: ROOT });
  const output = `${exit.stdout}${exit.stderr}`;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(output, { cause: error });
  });
  return { results: JSON.parse(text) as Results, output };
}

let whole: Awaited<ReturnType<typeof bench>>;
beforeAll(async () => {
  whole = await bench();
});

test.each(SMOKE)('the bench $name runs and has its figures', ({ name, metrics, goals }) => {
  if (isSkipped(name)) return;
  const samples = whole.results[name];
  if (samples === undefined) throw new Error(whole.output);
  for (const metric of Object.keys(metrics)) expectFigures(samples, metric, 'larder');
  for (const { metric, against = 'larder' } of goals) {
    if (!isSkipped(against)) expectFigures(samples, metric, against);
  }
});

/** Not every machine has what these are made with. @param name of a bench or a contestant */
function isSkipped(name: string): boolean {
  return whole.output.includes(`${name}: skipped, `);
}

/** JSON has null for what is no number. */
function expectFigures(samples: Samples, metric: string, contestant: string): void {
  const values = samples[metric]?.[contestant] ?? [];
  expect([metric, contestant, values.length > 0, values.every((value) => Number.isFinite(value))]).toEqual([
    metric,
    contestant,
    true,
    true,
  ]);
}

test('two versions of the program are compared, and what was checked out for it is removed', async () => {
  const before = await run('git', ['worktree', 'list'], { cwd: ROOT });
  const { results, output } = await bench('--against', 'HEAD', '--only', 'warm-small-blobs');
  const commit = (await run('git', ['rev-parse', 'HEAD'], { cwd: ROOT })).slice(0, 10);
  const contestants = Object.keys(results['warm-small-blobs']?.['requests/s'] ?? {});
  expect(contestants).toEqual(['larder', `larder at ${commit}`]);
  expect(output).toMatch(/\| requests\/s \| .*× \| .* \| (?:same|better|\*\*WORSE\*\*) \|/);
  expect(await run('git', ['worktree', 'list'], { cwd: ROOT })).toBe(before);
});
