import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { formatTable } from './format.ts';
import { describeMachine } from './machine.ts';
import { figuresTable, goalsTable, type Result } from './results.ts';

const BEGIN = '<!-- figures: written by npm run bench -->';
const END = '<!-- end of figures -->';

/** Writes the figures into a page of Markdown, between their marks. The rest of the page stays. */
export async function writePage(path: string, results: readonly Result[]): Promise<void> {
  const page = await readFile(path, 'utf8').catch(() => `${BEGIN}\n${END}\n`);
  const text = replaceFigures(page, figures(results, await describeMachine()));
  const options = await resolveConfig(path);
  await writeFile(path, await format(text, { ...options, parser: 'markdown' }));
}

/** @throws Error if the page has no marks */
export function replaceFigures(page: string, figures: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page needs the marks ${BEGIN} and ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${figures}\n\n${page.slice(end)}`;
}

function figures(results: readonly Result[], machine: Readonly<Record<string, string>>): string {
  const each = results.map(
    (result) =>
      `### ${result.bench.title}\n\n\`npm run bench -- --only ${result.bench.name}\`\n\n${figuresTable(result)}`,
  );
  return [
    '## The machine',
    formatTable([['', ''], ...Object.entries(machine)]),
    '## The goals',
    goalsTable(results),
    '## The figures',
    'The median of the rounds, and the least and the greatest of them.',
    ...each,
  ].join('\n\n');
}
