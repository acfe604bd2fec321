/** Formats a table for people: columns as wide as their cells, numbers to the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const isNumber = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const pad = (cell: string, column: number): string => {
    const width = widths[column] ?? 0;
    return isNumber[column] === true && rows.length > 0 ? cell.padStart(width) : cell.padEnd(width);
  };
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** Formats a time of JSON to the minute, `2026-11-21 05:10Z`; `-` if there is no time. */
export function formatTime(time: string | null | undefined): string {
  return time === null || time === undefined ? '-' : `${time.slice(0, 16).replace('T', ' ')}Z`;
}

/** Formats a time for JSON; null if there is no time. */
export function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
