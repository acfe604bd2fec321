import type { UnresolvedImage } from '../../references/found.ts';
import { escapeControls } from '../../text/controls.ts';

/** Returns a line for each place of a file of which no image can be told. */
export function describeUnresolved(unresolved: readonly UnresolvedImage[]): string {
  const lines = unresolved.map(({ place: { file, line }, text, reason }) => {
    const subject = text === '' ? '' : `${escapeControls(text)}: `;
    return `${file}:${line}: ${subject}${reason}`;
  });
  return lines.join('\n');
}
