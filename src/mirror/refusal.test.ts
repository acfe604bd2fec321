import { describe, expect, test } from 'vitest';
import { UpstreamError, type UpstreamFailure, type UpstreamFailureReason } from '../upstream/error.ts';
import { isRefusal, isVerdict, isWorthRemembering } from './refusal.ts';

function errorOf(failure: UpstreamFailure, reason: UpstreamFailureReason, isProven = false): UpstreamError {
  return new UpstreamError('registry.test', failure, reason, 'no', { isVerdict: isProven });
}

const OTHER = Object.assign(new Error('a bug'), { failure: 'absent', isVerdict: true });

describe('a refusal of an upstream', () => {
  test.each<[string, unknown, boolean, boolean]>([
    ['absent, proven', errorOf('absent', 'not-found', true), true, true],
    ['absent', errorOf('absent', 'not-found'), true, false],
    ['denied, proven', errorOf('denied', 'unauthorized', true), true, true],
    ['denied', errorOf('denied', 'unauthorized'), true, false],
    ['throttled', errorOf('throttled', 'rate-limit', true), false, false],
    ['unavailable', errorOf('unavailable', 'timeout', true), false, false],
    ['no error of upstream', OTHER, false, false],
  ])('%s', (_, error, refusal, verdict) => {
    expect([isRefusal(error), isVerdict(error)]).toEqual([refusal, verdict]);
  });

  test.each<[string, unknown, boolean, boolean]>([
    ['proven', errorOf('absent', 'not-found', true), true, true],
    ['not proven', errorOf('absent', 'not-found'), true, false],
    ['our account is refused', errorOf('denied', 'account-refused'), true, true],
    ['its token is', errorOf('denied', 'token-refused'), true, true],
    ['no refusal', errorOf('unavailable', 'token-refused', true), false, false],
  ])('is remembered if nothing is cached, and if something is: %s', (_, error, uncached, cached) => {
    expect([isWorthRemembering(error, false), isWorthRemembering(error, true)]).toEqual([uncached, cached]);
  });
});
