import { expect, test } from 'vitest';
import { UpstreamError, type UpstreamFailureReason } from '../error.ts';
import { isHeadRefused } from './head-refused.ts';

const refused = (reason: UpstreamFailureReason, status?: number): UpstreamError =>
  new UpstreamError('registry.test', 'unavailable', reason, 'it failed', { status });

test.each([400, 401, 402, 403, 404, 405, 406, 409, 410, 418, 423, 425, 451, 500, 501, 502])(
  'after %i GET may say something else',
  (status) => {
    expect(isHeadRefused(refused('status', status))).toBe(true);
    expect(isHeadRefused(refused('redirect', status))).toBe(true);
  },
);

test.each([
  ['status', 407],
  ['timeout', 408],
  ['rate-limit', 429],
  ['status', 503],
  ['timeout', 504],
  ['token', 403],
  ['account-refused', 401],
  ['redirect', 307],
  ['timeout', undefined],
  ['refused', undefined],
] as const)('after %s (%s) it would not', (reason, status) => {
  expect(isHeadRefused(refused(reason, status))).toBe(false);
});

test("an error of Larder's own is no refusal", () => {
  expect(isHeadRefused(new Error('x'))).toBe(false);
});
