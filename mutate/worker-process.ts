/** The program of worker.ts: tries mutants one after another, with a vitest that is kept warm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutated, type Candidate } from './mutant.ts';
import { Runner } from './runner.ts';
import type { Order, Verdict } from './worker.ts';

const root = join(import.meta.dirname, '..');
let present: Candidate | undefined;

const runner = await Runner.start({
  root,
  load: (path) =>
    present?.path === path ? mutated(readFileSync(join(root, path), 'utf8'), present.mutant) : undefined,
  isThorough: false,
  setupFiles: ['test/support/fast-check-setup.ts'],
  workers: 1,
});

process.on('message', ({ candidate, tests, timeoutMs }: Order) => {
  void attempt(candidate, () => runner.run(tests, timeoutMs)).then((verdict) => process.send?.(verdict));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function attempt(candidate: Candidate, run: () => Promise<boolean>): Promise<Verdict> {
  present = candidate;
  runner.forget(candidate.path);
  try {
    return (await run()) ? 'survived' : 'killed';
  } finally {
    present = undefined;
    runner.forget(candidate.path);
  }
}
