/** The parser directives at the top of a Dockerfile. */
export interface Directives {
  readonly escape: string;
  /** The image of the frontend that reads the file, with its line. */
  readonly syntax?: { readonly image: string; readonly line: number };
}

const DIRECTIVE = /^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$/;

/** Reads directives; the first line that is none ends them. A line `#!` at the very top counts for nothing. */
export function readDirectives(lines: readonly string[]): Directives {
  let escape = '\\';
  let syntax: Directives['syntax'];
  for (const [at, text] of lines.entries()) {
    if (at === 0 && text.startsWith('#!')) continue;
    const [, name, value = ''] = DIRECTIVE.exec(text) ?? [];
    if (name === undefined) break;
    if (name.toLowerCase() === 'escape' && value === '`') escape = value;
    // Behind a blank stand arguments of the frontend.
    if (name.toLowerCase() === 'syntax') syntax = { image: value.split(/\s/, 1)[0] ?? '', line: at + 1 };
  }
  return { escape, ...(syntax && { syntax }) };
}
