import { expect, test } from 'vitest';
import { formatAge } from './age.ts';

test.each([
  [0, '0'],
  [999, '0'],
  [1_000, '1'],
  [59_999, '59'],
  // The clock was set back.
  [-5_000, '0'],
  [2 ** 31 * 1_000, '2147483648'],
  [2 ** 31 * 1_000 + 1_000, '2147483648'],
  [Infinity, '2147483648'],
])('%d ms: %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});
