import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCredentials } from '../../access/credentials.ts';
import { authorizationOf } from './authorization.ts';

/** Reads as Node does: it keeps the first. */
function read(...rawHeaders: readonly string[]): string | undefined {
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'authorization');
  const headers = at === -1 ? {} : { authorization: rawHeaders[at + 1] ?? '' };
  return authorizationOf({ headers, rawHeaders: [...rawHeaders] });
}

test.each<[string | undefined, readonly string[]]>([
  [undefined, []],
  [undefined, ['Accept', 'authorization']],
  ['Basic YTpi', ['Host', 'a', 'aUTHORIZATION', 'Basic YTpi', 'X', 'Authorization']],
  ['Basic YTpi, Basic YTpi', ['Authorization', 'Basic YTpi', 'Host', 'a', 'authorization', 'Basic YTpi']],
])('%j in %j', (expected, rawHeaders) => {
  expect(read(...rawHeaders)).toBe(expected);
});

test('no two of them are credentials', () => {
  const value = fc.constantFrom(
    '',
    'Basic',
    'Basic YTpi',
    'Basic Og==',
    'YTpi',
    `Bearer larder_0123456789ab_${'x'.repeat(43)}`,
    'Bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln',
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 2, maxLength: 3 }), (values) => {
      const joined = read(...values.flatMap((each) => ['Authorization', each]));
      expect(readCredentials(joined ?? '').kind).toBe('unusable');
    }),
  );
});
