import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** A code block of a page that tells a user what to do. */
export interface Documented {
  /** The file that it goes to: the absolute path that the words before it name last. Empty where they name none. */
  readonly path: string;
  /** The fence's: `toml`, `sh`. */
  readonly language: string;
  readonly text: string;
}

/**
 * A code block of this repository's pages, for tests that follow them to the letter.
 * @param page from the repository's root: `README.md`.
 * @param heading without its `#`. What stands below its subheadings belongs to it too.
 * @param index of the block below the heading, from 0.
 * @throws Error where there is no such block.
 */
export function documented(page: string, heading: string, index = 0): Documented {
  const block = blocksBelow(heading, readFileSync(join(ROOT, page), 'utf8'))[index];
  if (block === undefined) throw new Error(`${page} has no code block ${index} below "${heading}"`);
  return block;
}

/**
 * `text` with what a test cannot leave as it is: addresses and folders.
 * @param changes what stands in place of what, everywhere, one after the other.
 * @throws Error where a text is not there: the page no longer says what the test believes.
 */
export function changed(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`"${from}" is not in:\n${before}`);
    return before.replaceAll(from, to);
  }, text);
}

/**
 * Writes a file where `path` is, but below `root`.
 * @returns the file's path.
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
  // Words, language and text in turn, and words at the end.
  const parts = markdown.split(FENCED);
  let level = 0;
  for (let at = 0; at + 2 < parts.length; at += 3) {
    const [words = '', language = '', text = ''] = parts.slice(at, at + 3);
    level = levelAfter(words, heading, level);
    if (level > 0) blocks.push({ path: lastPath(words), language, text });
  }
  return blocks;
}

/** How many `#` the heading has that the end of `words` is below; 0 where it is not below it. */
function levelAfter(words: string, heading: string, before: number): number {
  let level = before;
  for (const [, marks = '', title] of words.matchAll(HEADING)) {
    if (title === heading) level = marks.length;
    else if (marks.length <= level) level = 0;
  }
  return level;
}

/** What stands above a heading is not about the block below it. */
function lastPath(words: string): string {
  const ownWords = words.slice([...words.matchAll(HEADING)].at(-1)?.index ?? 0);
  return [...ownWords.matchAll(ABSOLUTE_PATH)].at(-1)?.[1] ?? '';
}
