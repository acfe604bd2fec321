import { quote } from './scanner.ts';

/** distribution-spec, "Warnings": all Warning headers of an answer together. */
const MAX_TOTAL_LENGTH = 4096;

const EMPTY = '299 - ""';

/**
 * One `Warning: 299 - "text"` a text, for the person who pulls: clients print them (distribution-spec,
 * "Warnings"). Together at most 4096 characters: a text is cut, and those after it are left out, where that ends.
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
  // A cut between a backslash and what it escapes would open the quoted string again.
  const cut = /^(?:[^\\]|\\.)*/.exec(warning.slice(0, maxLength - 1)) ?? [''];
  return `${cut[0]}"`;
}
