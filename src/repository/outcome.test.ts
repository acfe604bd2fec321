import { expect, test } from 'vitest';
import { CONFIRMED, HIT, joined, outcomeName, type Outcome } from './outcome.ts';

test.each<[string, Outcome]>([
  ['hit', HIT],
  ['hit', { hit: true, ttlMs: 5_000 }],
  ['miss', { hit: false }],
  ['miss', { hit: false, fwd: 'uri-miss', stored: true, collapsed: true }],
  ['miss', CONFIRMED],
  ['revalidated', { hit: false, fwd: 'stale' }],
  ['bypass', { hit: false, fwd: 'bypass' }],
  // An answer that could not be confirmed is stale, however it came about.
  ['stale', { hit: false, fwd: 'stale', warning: 'served without confirmation' }],
  ['stale', { hit: true, warning: 'served without confirmation' }],
])('%s: %o', (name, outcome) => {
  expect(outcomeName(outcome)).toBe(name);
});

const FETCHED: Outcome = { hit: false, fwd: 'uri-miss', stored: true };
const CHECKED: Outcome = { hit: false, fwd: 'stale', collapsed: false };
const UNCONFIRMED: Outcome = { hit: false, fwd: 'stale', ttlMs: -1, ageMs: 9, warning: 'unconfirmed' };

test.each<[string, Outcome, Outcome, Outcome]>([
  ['both were here', { hit: true, ttlMs: 1, ageMs: 9 }, HIT, { hit: true, ttlMs: 1, ageMs: 9 }],
  ['only the tag was: it is as old', { hit: true, ttlMs: 1, ageMs: 9 }, FETCHED, { ...FETCHED, ageMs: 9 }],
  ['a digest, which has no age', HIT, FETCHED, FETCHED],
  ['only the manifest was: the tag is of now', CHECKED, HIT, CHECKED],
  ['neither was', CHECKED, FETCHED, { ...FETCHED, ...CHECKED }],
  ['the tag could not be confirmed', UNCONFIRMED, FETCHED, { ...FETCHED, ...UNCONFIRMED }],
])('an answer in two steps: %s', (_, first, second, expected) => {
  expect(joined(first, second)).toEqual(expected);
});
