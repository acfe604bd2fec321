import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface NamedTest {
  readonly page: string;
  readonly file: string;
  /** A part of the test's name; undefined: the whole file is meant. */
  readonly name: string | undefined;
}

/** The tests that a page names for what it promises. */
function namedIn(page: string): readonly NamedTest[] {
  const named = readFileSync(join(ROOT, page), 'utf8').matchAll(
    /`((?:test|src)\/[^`]+\.test\.ts)`(?: › "([^"]+)")?/g,
  );
  return [...named].map(([, file = '', name]) => ({ page, file, name }));
}

const PAGES = ['README.md', 'SECURITY.md'];

test.each(PAGES)('%s names tests for what it promises', (page) => {
  expect(namedIn(page).length).toBeGreaterThan(10);
});

test.each(PAGES.flatMap(namedIn))('$page: $file is there, with $name', ({ file, name = '' }) => {
  expect(existsSync(join(ROOT, file))).toBe(true);
  expect(readFileSync(join(ROOT, file), 'utf8')).toContain(name);
});
