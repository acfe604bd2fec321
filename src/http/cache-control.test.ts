import { expect, test } from 'vitest';
import { asksAnew } from './cache-control.ts';

test.each<[string | readonly string[] | undefined, boolean]>([
  [undefined, false],
  ['', false],
  ['no-cache', true],
  ['No-Cache', true],
  ['max-age=0, no-cache', true],
  [' , no-cache ,', true],
  ['no-cache="Set-Cookie"', true],
  [['max-age=0', 'no-cache'], true],
  ['no-store', false],
  ['max-age=0', false],
  ['x-no-cache', false],
  ['a="no-cache"', false],
  ['a="b, no-cache", c', false],
  ['a="b, no-cache', false],
  ['a b, no-cache', false],
  [`${'a,'.repeat(5000)}no-cache`, false],
])('%j: %s', (header, expected) => expect(asksAnew(header)).toBe(expected));
