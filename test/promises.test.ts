import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** The tests that README names for its promises: a file, and a part of a test's name where one is meant. */
const NAMED = [
  ...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/`(test\/[^`]+\.ts)`(?: › "([^"]+)")?/g),
].map(([, file = '', name]) => ({ file, name }));

test('README names tests for its promises', () => {
  expect(NAMED.length).toBeGreaterThan(10);
});

test.each(NAMED)('$file is there, with $name', ({ file, name = '' }) => {
  expect(existsSync(join(ROOT, file))).toBe(true);
  expect(readFileSync(join(ROOT, file), 'utf8')).toContain(name);
});
