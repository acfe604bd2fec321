import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderManual } from './manual.ts';
import { larder } from './program.ts';

const COMMITTED = new URL('../../docs/cli.md', import.meta.url);

test('docs/cli.md is what the commands say', async () => {
  // The snapshot assertion would write a missing file in silence.
  expect(readFileSync(COMMITTED, 'utf8')).toMatch(/^# The command line\n/);
  await expect(
    renderManual(larder()),
    'docs/cli.md is out of date: run "npx vitest run --project unit src/cli/manual -u" and commit it',
  ).toMatchFileSnapshot(COMMITTED.pathname);
});
