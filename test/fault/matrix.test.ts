import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COLUMN_NAMES, COLUMNS } from './cell.ts';
import { MATRIX } from './matrix.ts';
import { play } from './play.ts';
import { withMatrix } from './render.ts';

const PAGE = new URL('../../docs/reliability.md', import.meta.url);

describe.each(MATRIX.flatMap(({ rows }) => rows))('$name', (row) => {
  const columns = COLUMN_NAMES.filter((column) => row.cells[column] !== undefined);

  test.each(columns.map((column) => ({ column, title: COLUMNS[column] })))('$title', async ({ column }) => {
    const { cell, asked } = await play(row, column);
    expect(cell, `upstream was asked:\n${asked.join('\n')}\n`).toEqual(row.cells[column]);
  });
});

test('docs/reliability.md has this matrix', async () => {
  await expect(
    withMatrix(readFileSync(PAGE, 'utf8'), MATRIX),
    'docs/reliability.md is out of date: run "npx vitest run --project integration test/fault -u" and commit it',
  ).toMatchFileSnapshot(PAGE.pathname);
});
