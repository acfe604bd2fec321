/**
 * Returns a page with the part that a test writes in place of the present one; all other text stays as it is.
 * @param begin the line before the part. @param end the line after it
 */
export function withWrittenPart(page: string, begin: string, end: string, text: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`"${begin}" or "${end}" is not there`);
  return `${before}${begin}\n<!-- prettier-ignore-start -->\n\n${text}\n<!-- prettier-ignore-end -->\n${end}${after}`;
}

/** Returns a table of Markdown. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, headings.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
