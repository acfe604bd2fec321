import { expect, test } from 'vitest';
import { asksAnew, maxAgeOf } from './cache-control.ts';

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
])('%j asks anew: %s', (header, expected) => expect(asksAnew(header)).toBe(expected));

test.each<[string | readonly string[] | undefined, number | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['max-age=300', 300],
  ['public, Max-Age=300, must-revalidate', 300],
  ['max-age="300"', 300],
  [['public', 'max-age=300'], 300],
  ['max-age=300, max-age=600', 300],
  ['s-maxage=300', undefined],
  ['max-age', undefined],
  ['max-age=-1', undefined],
  ['max-age=1e3', undefined],
  ['max-age=99999999999', undefined],
  ['x="max-age=300"', undefined],
  ['no-store, max-age=300', 0],
  ['max-age=300, no-cache', 0],
])('%j is fresh for %j seconds', (header, expected) => expect(maxAgeOf(header)).toBe(expected));
