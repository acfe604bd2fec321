import type { UnresolvedImage } from '../../references/found.ts';

/** Returns a line for each place of a file of which no image can be told. */
export function describeUnresolved(unresolved: readonly UnresolvedImage[]): string {
  const lines = unresolved.map(({ place: { file, line }, text, reason }) => {
    const subject = text === '' ? '' : `${text}: `;
    return `${file}:${line}: ${subject}${reason}`;
  });
  return lines.join('\n');
}
