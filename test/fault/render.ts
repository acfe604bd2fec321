import { markdownTable, withWrittenPart } from '../support/written-part.ts';
import { COLUMN_NAMES, COLUMNS, type Cell, type Column } from './cell.ts';
import type { Cells, Group, Row } from './row.ts';

const BEGIN = '<!-- matrix: written by test/fault/matrix.test.ts -->';
const END = '<!-- end of the matrix -->';

const CACHED = { all: '●', tag: '◐', nothing: '○' } as const;

/** Returns the page with the matrix in its place; all other text stays as it is. */
export function withMatrix(page: string, matrix: readonly Group[]): string {
  return withWrittenPart(page, BEGIN, END, matrix.map(table).join('\n'));
}

function table({ title, rows }: Group): string {
  const headings = ['fault', ...Object.values(COLUMNS), 'right again', 'the message says'];
  return `### ${title}\n\n${markdownTable(headings, rows.map(cellsOf))}`;
}

function cellsOf({ name, says, cells }: Row): readonly string[] {
  const columns = COLUMN_NAMES.map((column) => textOf(cells[column]));
  return [name, ...columns, rightAgain(cells), says.map((how) => `“${how}”`).join('<br>') || '–'];
}

/** Returns when, after the end of the fault, the same question gets the right answer. */
function rightAgain(cells: Cells): string {
  const late = COLUMN_NAMES.filter((column) => cells[column]?.rightAfterMs !== undefined);
  const times = [...new Set(late.map((column) => cells[column]?.rightAfterMs ?? 0))].sort((a, b) => a - b);
  const lines = times.map((ms) => {
    const names = late.filter((column) => cells[column]?.rightAfterMs === ms).map(titleOf);
    return `${names.join('; ')}: after ${ms / 1000} s`;
  });
  return ['at once', ...lines].join('<br>');
}

function titleOf(column: Column): string {
  return COLUMNS[column];
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined) return '–';
  const { requests, cached, tookMs } = cell;
  const time = tookMs === 0 ? '' : ` ${tookMs / 1000} s`;
  return `${answerOf(cell)}<br>${CACHED[cached]} ${requests}↑${time}`;
}

function answerOf({ status, code, isCut, isStale, isWrong, retryAfter }: Cell): string {
  const notes = [
    isStale === true && 'stale',
    isCut === true && 'cut',
    isWrong === true && 'unverified',
    retryAfter !== undefined && `Retry-After ${retryAfter}`,
  ].filter((note) => note !== false);
  return [`**${status}**${code === undefined ? '' : ` ${code}`}`, ...notes].join(', ');
}
