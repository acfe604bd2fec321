import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hostileLine } from '../../test/support/hostile.ts';
import { formatRetryAfter, parseRetryAfter } from './retry-after.ts';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 7);
const DAY_MS = 86_400_000;

describe('parseRetryAfter', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('reads a date without a time zone as GMT, wherever the machine is', () => {
    vi.stubEnv('TZ', 'America/New_York');
    expect(parseRetryAfter('Sun Nov  6 08:49:37 1994', NOW)).toBe(30_000);
  });

  it.each<[string, string | undefined, number | undefined]>([
    ['no header', undefined, undefined],
    ['nothing', '', undefined],
    ['seconds', '120', 120_000],
    ['no wait', '0', 0],
    ['spaces around it', ' 5 ', 5000],
    ['a date', 'Sun, 06 Nov 1994 08:49:37 GMT', 30_000],
    ['a date of RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', 30_000],
    ['a date of asctime, which is in GMT too', 'Sun Nov  6 08:49:37 1994', 30_000],
    ['a date in the past', 'Sat, 05 Nov 1994 08:49:37 GMT', 0],
    ['a date far away', 'Fri, 31 Dec 9999 23:59:59 GMT', DAY_MS],
    ['more than a day', '86401', DAY_MS],
    ['a number beyond all numbers', '9'.repeat(100_000), DAY_MS],
    ['a negative number', '-1', undefined],
    ['a fraction', '1.5', undefined],
    ['an exponent', '1e3', undefined],
    ['a unit', '5s', undefined],
    ['another time zone', 'Sun, 06 Nov 1994 08:49:37 +0100', undefined],
    ['an ISO date', '1994-11-06T08:49:37Z', undefined],
    ['no such month', 'Sun, 06 Xxx 1994 08:49:37 GMT', undefined],
    ['no such hour', 'Sun, 06 Nov 1994 25:49:37 GMT', undefined],
  ])('reads %s', (_, header, waitMs) => {
    expect(parseRetryAfter(header, NOW)).toBe(waitMs);
  });

  it('never throws, and gives at most a day', () => {
    fc.assert(
      fc.property(hostileLine, fc.integer(), (header, now) => {
        const waitMs = parseRetryAfter(header, now) ?? 0;
        expect(waitMs >= 0 && waitMs <= DAY_MS).toBe(true);
      }),
    );
  });

  it('reads every date as the time until then', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(NOW), max: new Date(NOW + DAY_MS), noInvalidDate: true }),
        (date) => {
          const seconds = Math.floor((date.getTime() - NOW) / 1000);
          expect(parseRetryAfter(date.toUTCString(), NOW)).toBe(seconds * 1000);
        },
      ),
    );
  });
});

describe('formatRetryAfter', () => {
  it.each([
    [0, '1'],
    [-5, '1'],
    [1, '1'],
    [1001, '2'],
    [90_000, '90'],
    [Number.POSITIVE_INFINITY, '86400'],
  ])('of %d ms is %s', (waitMs, text) => {
    expect(formatRetryAfter(waitMs)).toBe(text);
  });

  it('is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_400 }), (seconds) => {
        expect(parseRetryAfter(formatRetryAfter(seconds * 1000), NOW)).toBe(seconds * 1000);
      }),
    );
  });
});
