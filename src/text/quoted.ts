import { escapeUnits } from './controls.ts';

/** Quotes a foreign text for a message, a log line or a header: printable ASCII, at most 100 characters of the text. */
export function quoted(text: string): string {
  const shown = text.length > 100 ? `${text.slice(0, 97)}...` : text;
  return JSON.stringify(shown).replaceAll(/[^\x20-\x7e]/g, escapeUnits);
}
