import { Findings, type References } from './found.ts';

/** Reads a list of images: one reference a line; from `#` on, a line is a comment. */
export function readList(file: string, text: string): References {
  const findings = new Findings(file);
  for (const [at, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const reference = line.replace(/#.*$/, '').trim();
    if (reference !== '') findings.add(reference, at + 1);
  }
  return findings;
}
