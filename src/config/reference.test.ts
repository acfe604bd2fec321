import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderReference } from './reference.ts';

const COMMITTED = new URL('../../docs/configuration.md', import.meta.url);

it('docs/configuration.md is what the schema says', async () => {
  // The snapshot assertion would write a missing file in silence.
  expect(readFileSync(COMMITTED, 'utf8')).toMatch(/^# Configuration\n/);
  await expect(
    renderReference(),
    'docs/configuration.md is out of date: run "npx vitest run --project unit src/config/reference -u" and commit it',
  ).toMatchFileSnapshot(COMMITTED.pathname);
});
