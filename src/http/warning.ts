import { quote } from './scanner.ts';

/** Most characters of all Warning headers of an answer together (distribution-spec, "Warnings"). */
const MAX_TOTAL_LENGTH = 4096;

const EMPTY = '299 - ""';

/**
 * Formats each text as `Warning: 299 - "text"`; clients print these to the user (distribution-spec, "Warnings").
 * Together they have at most 4096 characters: the text that exceeds that is cut, and those after it are left out.
 */
export function formatWarnings(texts: readonly string[]): string[] {
  const warnings: string[] = [];
  let left = MAX_TOTAL_LENGTH;
  for (const text of texts) {
    if (left <= EMPTY.length) break;
    const warning = formatWarning(text, left);
    warnings.push(warning);
    left -= warning.length;
  }
  return warnings;
}

function formatWarning(text: string, maxLength: number): string {
  const warning = `299 - ${quote(text.slice(0, maxLength))}`;
  if (warning.length <= maxLength) return warning;
  // A cut between a backslash and the character that it escapes would leave the quoted string open.
  const cut = /^(?:[^\\]|\\.)*/.exec(warning.slice(0, maxLength - 1)) ?? [''];
  return `${cut[0]}"`;
}
