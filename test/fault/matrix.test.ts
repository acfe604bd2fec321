import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COLUMN_NAMES, COLUMNS } from './cell.ts';
import { MATRIX } from './matrix.ts';
import { play } from './play.ts';
import { drive } from '../support/settled.ts';
import { BLOB_PATH } from './question.ts';
import { withMatrix } from './render.ts';
import { startWorld } from './world.ts';

/** The columns in which a blob is asked for. */
const BLOB_COLUMNS = ['blob', 'follower', 'range'] as const;

const PAGE = new URL('../../docs/reliability.md', import.meta.url);

describe.each(MATRIX.flatMap(({ rows }) => rows))('$name', (row) => {
  const columns = COLUMN_NAMES.filter((column) => row.cells[column] !== undefined);

  test.each(columns.map((column) => ({ column, title: COLUMNS[column] })))('$title', async ({ column }) => {
    const { cell, asked } = await play(row, column);
    expect(cell, `upstream was asked:\n${asked.join('\n')}\n`).toEqual(row.cells[column]);
  });
});

describe.each(MATRIX.flatMap(({ rows }) => rows))('$name, read by the reader for large bodies', (row) => {
  const columns = BLOB_COLUMNS.filter((column) => row.cells[column] !== undefined);

  test.each(columns.map((column) => ({ column, title: COLUMNS[column] })))('$title', async ({ column }) => {
    const { cell, asked } = await play({ ...row, world: { ...row.world, isLarge: true } }, column);
    expect(cell, `upstream was asked:\n${asked.join('\n')}\n`).toEqual(row.cells[column]);
  });
});

test.each([true, false])('a blob is read by that reader: %s', async (isLarge) => {
  await using world = await startWorld({ isLarge });
  await drive(world, world.mirror.get(BLOB_PATH));
  expect(world.network.names.read > 0).toBe(isLarge);
});

test('docs/reliability.md has this matrix', async () => {
  await expect(
    withMatrix(readFileSync(PAGE, 'utf8'), MATRIX),
    'docs/reliability.md is out of date: run "npx vitest run --project integration test/fault -u" and commit it',
  ).toMatchFileSnapshot(PAGE.pathname);
});
