import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { parseTag } from '../../oci/tag.ts';
import { freshness, remainingMs, type Freshness } from './freshness.ts';
import type { TagPolicy } from '../tag-policy.ts';

const POLICY: TagPolicy = {
  ttlMs: 300_000,
  staleForMs: 1_000_000,
  deadlineMs: 2_000,
  isImmutable: (tag) => tag.startsWith('v'),
  onDeleted: 'drop',
  quotaReserve: 0,
};
const LATEST = parseTag('latest');
const CHECKED_AT = 10_000_000;
const ENTRY = { digest: digestOf('x'), checkedAt: CHECKED_AT };

test.each<[string, number, Freshness]>([
  ['at once', 0, 'fresh'],
  ['just within the time to live', 299_999, 'fresh'],
  ['when the time to live has passed', 300_000, 'stale'],
  ['just within staleFor', 1_299_999, 'stale'],
  ['beyond staleFor', 1_300_000, 'expired'],
  ['from the future: the clock was set back', -1, 'stale'],
])('a tag %s (%i ms) is %s by policy', (_, age, expected) => {
  expect(freshness(LATEST, ENTRY, POLICY, CHECKED_AT + age)).toBe(expected);
});

test('an immutable tag is fresh at any age', () => {
  fc.assert(
    fc.property(fc.integer(), (age) => {
      expect(freshness(parseTag('v1.2.3'), ENTRY, POLICY, CHECKED_AT + age)).toBe('fresh');
    }),
  );
});

test('a tag with no time to live is never fresh', () => {
  const policy = { ...POLICY, ttlMs: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (age) => {
      expect(freshness(LATEST, ENTRY, policy, CHECKED_AT + age)).not.toBe('fresh');
    }),
  );
});

test('the remaining time to live is negative once it has passed', () => {
  expect(remainingMs(ENTRY, POLICY, CHECKED_AT + 100_000)).toBe(200_000);
  expect(remainingMs(ENTRY, POLICY, CHECKED_AT + 400_000)).toBe(-100_000);
});
