import { COLUMN_NAMES, COLUMNS, type Cell } from './cell.ts';
import type { Group, Row } from './row.ts';

const BEGIN = '<!-- matrix: written by test/fault/matrix.test.ts -->';
const END = '<!-- end of the matrix -->';

const CACHED = { all: '●', tag: '◐', nothing: '○' } as const;

/** The page with the matrix in its place; the rest is kept as it is. */
export function withMatrix(page: string, matrix: readonly Group[]): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`"${BEGIN}" or "${END}" is not there`);
  return `${before}${BEGIN}\n<!-- prettier-ignore-start -->\n\n${matrix.map(table).join('\n')}\n<!-- prettier-ignore-end -->\n${END}${after}`;
}

function table({ title, rows }: Group): string {
  const headings = ['fault', ...Object.values(COLUMNS), 'the message says'];
  const lines = [headings, headings.map(() => '---'), ...rows.map(cellsOf)];
  return `### ${title}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
}

function cellsOf({ name, says, cells }: Row): readonly string[] {
  const columns = COLUMN_NAMES.map((column) => textOf(cells[column]));
  return [name, ...columns, says.map((how) => `“${how}”`).join('<br>') || '–'];
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
