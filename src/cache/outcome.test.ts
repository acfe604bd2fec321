import { expect, test } from 'vitest';
import { CONFIRMED, HIT, outcomeName, type Outcome } from './outcome.ts';

test.each<[string, Outcome]>([
  ['hit', HIT],
  ['hit', { hit: true, ttlMs: 5_000 }],
  ['miss', { hit: false }],
  ['miss', { hit: false, fwd: 'uri-miss', stored: true, collapsed: true }],
  ['miss', CONFIRMED],
  ['revalidated', { hit: false, fwd: 'stale' }],
  ['bypass', { hit: false, fwd: 'bypass' }],
  // What could not be confirmed is stale, however it came about.
  ['stale', { hit: false, fwd: 'stale', warning: 'served without confirmation' }],
  ['stale', { hit: true, warning: 'served without confirmation' }],
])('%s: %o', (name, outcome) => {
  expect(outcomeName(outcome)).toBe(name);
});
