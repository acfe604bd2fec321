import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** A code block of a page for users. */
export interface Documented {
  /** The file that it goes to: the last absolute path in the text before it. Empty if there is none. */
  readonly path: string;
  /** The language that the fence names: `toml`, `sh`. */
  readonly language: string;
  readonly text: string;
}

/**
 * Returns a code block from this repository's pages, for tests that follow them to the letter.
 * @param page path from the repository's root: `README.md`
 * @param heading without its `#`; blocks below its subheadings belong to it too
 * @param index number of the block below the heading, from 0
 * @throws Error if there is no such block
 */
export function documented(page: string, heading: string, index = 0): Documented {
  const block = blocksBelow(heading, readFileSync(join(ROOT, page), 'utf8'))[index];
  if (block === undefined) throw new Error(`${page} has no code block ${index} below "${heading}"`);
  return block;
}

/**
 * Returns `text` with the changes that a test needs: addresses and folders.
 * @param changes texts by the texts that they replace, everywhere, one after the other
 * @throws Error if a text is not there: the page no longer says what the test assumes
 */
export function changed(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`"${from}" is not in:\n${before}`);
    return before.replaceAll(from, to);
  }, text);
}

/**
 * Writes a file at `path`, but below `root`.
 * @returns the file's path
 */
export async function placed(root: string, path: string, text: string): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

const FENCED = /^```(.*)\n([^]*?)^```$/m;
const HEADING = /^(#+) (.*)$/gm;
const ABSOLUTE_PATH = /`(\/[^`\s]*)`/g;

function blocksBelow(heading: string, markdown: string): readonly Documented[] {
  const blocks: Documented[] = [];
  // The parts are prose, language and text in turn, with prose at the end.
  const parts = markdown.split(FENCED);
  let level = 0;
  for (let at = 0; at + 2 < parts.length; at += 3) {
    const [words = '', language = '', text = ''] = parts.slice(at, at + 3);
    level = levelAfter(words, heading, level);
    if (level > 0) blocks.push({ path: lastPath(words), language, text });
  }
  return blocks;
}

/** Returns the number of `#` of the heading if the end of `words` is below it; else 0. */
function levelAfter(words: string, heading: string, before: number): number {
  let level = before;
  for (const [, marks = '', title] of words.matchAll(HEADING)) {
    if (title === heading) level = marks.length;
    else if (marks.length <= level) level = 0;
  }
  return level;
}

/** Returns the last path since the last heading: text above a heading is not about the block below it. */
function lastPath(words: string): string {
  const ownWords = words.slice([...words.matchAll(HEADING)].at(-1)?.index ?? 0);
  return [...ownWords.matchAll(ABSOLUTE_PATH)].at(-1)?.[1] ?? '';
}
