import { escapeUnits } from './controls.ts';

/** Foreign text for use in a message, a log line or a header: quoted, printable ASCII, of at most 100 characters. */
export function quoted(text: string): string {
  const shown = text.length > 100 ? `${text.slice(0, 97)}...` : text;
  return JSON.stringify(shown).replaceAll(/[^\x20-\x7e]/g, escapeUnits);
}
