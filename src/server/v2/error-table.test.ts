import { describe, expect, test } from 'vitest';
import { AccessError } from '../../access/access-error.ts';
import { digestOf } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { LoopError } from './loop-guard.ts';
import { errorAnswer } from './error-table.ts';

const DIRECT = { kind: 'manifest', hasFallback: false } as const;

function upstreamError(
  failure: UpstreamError['failure'],
  reason: UpstreamError['reason'],
  retryAfterMs?: number,
): UpstreamError {
  return new UpstreamError('docker.io', failure, reason, 'it failed', { retryAfterMs });
}

describe('how each failure is answered', () => {
  test.each<[string, unknown, number, string]>([
    ['an absent manifest', upstreamError('absent', 'not-found'), 404, 'MANIFEST_UNKNOWN'],
    ['missing or private: never 401', upstreamError('denied', 'unauthorized'), 404, 'NAME_UNKNOWN'],
    ['a token may be wrong', upstreamError('denied', 'token-refused'), 404, 'NAME_UNKNOWN'],
    [
      'our account is refused: to be told from both',
      upstreamError('denied', 'account-refused'),
      403,
      'DENIED',
    ],
    ['throttled', upstreamError('throttled', 'rate-limit'), 429, 'TOOMANYREQUESTS'],
    ['unreachable', upstreamError('unavailable', 'refused'), 502, 'UNAVAILABLE'],
    ['too slow', upstreamError('unavailable', 'timeout'), 504, 'UNAVAILABLE'],
    ['offline', upstreamError('unavailable', 'offline'), 503, 'UNAVAILABLE'],
    ['a loop', new LoopError(), 508, 'UNAVAILABLE'],
    [
      'a loop that another mirror has seen',
      new UpstreamError('x', 'unavailable', 'status', 'it', { status: 508 }),
      508,
      'UNAVAILABLE',
    ],
    ['a name', new RegistryError('NAME_INVALID', 'bad'), 400, 'NAME_INVALID'],
    ['a write', new RegistryError('UNSUPPORTED', 'read-only'), 405, 'UNSUPPORTED'],
    ['wrong bytes', new VerificationError({ digest: digestOf('x') }, 'other bytes'), 502, 'UNAVAILABLE'],
    ['the disk', new StoreError('read a blob', { code: 'EIO' }), 500, 'UNKNOWN'],
    ['no credentials', new AccessError('no-credentials', 'no'), 401, 'UNAUTHORIZED'],
    ['wrong credentials', new AccessError('wrong-credentials', 'no'), 401, 'UNAUTHORIZED'],
    ['a token for something else', new AccessError('insufficient-scope', 'no'), 401, 'UNAUTHORIZED'],
    ['what the user may not: as if it were not there', new AccessError('denied', 'no'), 404, 'NAME_UNKNOWN'],
    ['too many wrong passwords', new AccessError('throttled', 'no'), 429, 'TOOMANYREQUESTS'],
    ['credentials that cannot be checked', new AccessError('unavailable', 'no'), 503, 'UNAVAILABLE'],
    ['a bug', new TypeError('secret detail'), 500, 'UNKNOWN'],
  ])('%s', (_, error, status, code) => {
    const answer = errorAnswer(error, DIRECT);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  test('an absent blob has a code of its own', () => {
    expect(errorAnswer(upstreamError('absent', 'not-found'), { ...DIRECT, kind: 'blob' }).code).toBe(
      'BLOB_UNKNOWN',
    );
  });

  test('a client that has other hosts to go to is sent there at once when upstream throttles', () => {
    const answer = errorAnswer(upstreamError('throttled', 'rate-limit', 7_000), {
      ...DIRECT,
      hasFallback: true,
    });
    expect([answer.status, answer.retryAfterMs]).toEqual([503, 7_000]);
  });

  test('the answer says how long upstream will be unavailable only if upstream says so', () => {
    expect(errorAnswer(upstreamError('unavailable', 'status', 30_000), DIRECT).retryAfterMs).toBe(30_000);
    expect(errorAnswer(upstreamError('unavailable', 'status'), DIRECT).retryAfterMs).toBeUndefined();
  });

  test('wrong bytes are told with the upstream that sent them', () => {
    const error = new VerificationError({ digest: digestOf('x') }, 'other bytes');
    expect(errorAnswer(error, { ...DIRECT, upstream: 'docker.io' }).message).toMatch(
      /^docker\.io: sent wrong bytes: sha256:/,
    );
  });

  test('the text of an unforeseen error is not told', () => {
    expect(errorAnswer(new TypeError('secret detail'), DIRECT).message).not.toContain('secret');
  });
});
