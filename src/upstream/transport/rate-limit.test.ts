import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRateLimit } from './rate-limit.ts';

describe('parseRateLimit', () => {
  test.each([
    ['100;w=21600', '20;w=21600', { limit: 100, remaining: 20, windowMs: 21_600_000 }],
    ['200 ; w=21600', '0;w=21600', { limit: 200, remaining: 0, windowMs: 21_600_000 }],
    ['10;w=3600', '7;w=3600, 7;w=60', { limit: 10, remaining: 7, windowMs: 3_600_000 }],
    ['100;w=3600', '7;w=7200', { limit: 100, remaining: 7, windowMs: 7_200_000 }],
    ['200', '0', undefined],
    ['100, 100;w=21600', '7', undefined],
    ['100;w=21600', '7', undefined],
    ['100;w=60', '7;w=60', undefined],
    ['100;w=1', '7;w=1', undefined],
    ['100;window=21600', '7;window=21600', undefined],
    ['100;w=21600', undefined, undefined],
    ['', '1;w=21600', undefined],
    ['-1;w=21600', '1;w=21600', undefined],
    ['100x;w=21600', '1;w=21600', undefined],
    [`${'9'.repeat(400)};w=21600`, '1;w=21600', undefined],
  ])('%s and %s', (limit, remaining, expected) => {
    const headers = { 'ratelimit-limit': limit, 'ratelimit-remaining': remaining };
    expect(parseRateLimit(headers)).toEqual(expected);
  });

  test('reads any text without throwing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseRateLimit({ 'ratelimit-limit': text, 'ratelimit-remaining': '1;w=21600' });
        return parsed === undefined || Number.isSafeInteger(parsed.limit);
      }),
    );
  });
});
