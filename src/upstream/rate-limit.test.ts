import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRateLimit } from './rate-limit.ts';

describe('parseRateLimit', () => {
  test.each([
    ['100;w=21600', '20;w=21600', { limit: 100, remaining: 20 }],
    ['200', '0', { limit: 200, remaining: 0 }],
    ['100, 100;w=21600', '7', { limit: 100, remaining: 7 }],
    ['100;w=21600', undefined, undefined],
    ['', '1', undefined],
    ['-1', '1', undefined],
    ['100x', '1', undefined],
    ['9'.repeat(400), '1', undefined],
  ])('%s and %s', (limit, remaining, expected) => {
    const headers = { 'ratelimit-limit': limit, 'ratelimit-remaining': remaining };
    expect(parseRateLimit(headers)).toEqual(expected);
  });

  test('reads any text without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseRateLimit({ 'ratelimit-limit': text, 'ratelimit-remaining': '1' });
        return parsed === undefined || Number.isSafeInteger(parsed.limit);
      }),
    );
  });
});
