import { expect, test } from 'vitest';
import { AccessError } from '../../access/access-error.ts';
import { formatCacheStatus } from '../../http/cache-status.ts';
import { digestOf } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { statusOfError, statusOfOutcome } from './cache-status.ts';

type Failure = ConstructorParameters<typeof UpstreamError>;

function upstream(failure: Failure[1], reason: Failure[2], options: Failure[4] = {}): UpstreamError {
  return new UpstreamError('docker.io', failure, reason, 'it failed', options);
}

const ABSENT = upstream('absent', 'not-found', { status: 404 });
const REMEMBERED = { status: 404, wasAsked: false } as const;
const UNASKED = { wasAsked: false } as const;

test.each<[string, unknown, string]>([
  ['upstream said no', ABSENT, 'larder; fwd=miss; fwd-status=404; detail=not-found'],
  [
    'upstream said no, which the client is told in other words',
    upstream('denied', 'unauthorized', { status: 401 }),
    'larder; fwd=miss; fwd-status=401; detail=unauthorized',
  ],
  [
    'upstream throttled',
    upstream('throttled', 'rate-limit', { status: 429 }),
    'larder; fwd=miss; fwd-status=429; detail=rate-limit',
  ],
  ['no answer came', upstream('unavailable', 'refused'), 'larder; fwd=miss; detail=refused'],
  ['upstream said no before', upstream('absent', 'not-found', REMEMBERED), 'larder; hit; detail=not-found'],
  ['throttled before', upstream('throttled', 'rate-limit', UNASKED), 'larder; detail=rate-limit'],
  ['upstream was not asked', upstream('unavailable', 'breaker-open', UNASKED), 'larder; detail=breaker-open'],
  ['refused here', new RegistryError('DENIED', 'no'), 'larder; detail=DENIED'],
  ['no credentials', new AccessError('no-credentials', 'no'), 'larder; detail=no-credentials'],
  ['denied, as if it were not there', new AccessError('denied', 'no'), 'larder; detail=NAME_UNKNOWN'],
  ['the disk', new StoreError('read', { code: 'EIO' }), 'larder; detail="store: EIO"'],
  [
    'wrong bytes',
    new VerificationError({ digest: digestOf('x') }, 'other bytes'),
    'larder; fwd=miss; detail=wrong-bytes',
  ],
  ['a bug, whose text is not told', new TypeError('secret'), 'larder; detail=internal-error'],
])('an error: %s', (_, error, text) => {
  expect(formatCacheStatus(statusOfError(error))).toBe(text);
});

test.each<[string, Parameters<typeof statusOfOutcome>[0], string]>([
  ['neither cache nor upstream had a part in it', undefined, 'larder'],
  ['from the cache', { hit: true, ttlMs: 5_000 }, 'larder; hit; ttl=5'],
  ['from upstream, kept', { hit: false, stored: true }, 'larder; fwd=uri-miss; stored'],
  ['from upstream, shared', { hit: false, fwd: 'stale', collapsed: true }, 'larder; fwd=stale; collapsed'],
])('an answer: %s', (_, outcome, text) => {
  expect(formatCacheStatus(statusOfOutcome(outcome))).toBe(text);
});
