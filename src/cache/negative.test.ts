import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { digestOf } from '../oci/digest.ts';
import { NegativeCache, refusalKey } from './negative.ts';

const ERROR = new UpstreamError('registry.test', 'absent', 'not-found', 'no such blob', {
  status: 404,
  isVerdict: true,
});
const UNPROVEN = new UpstreamError('registry.test', 'absent', 'not-found', 'no such blob', { status: 404 });

test('a refusal is remembered for its time, and no longer', () => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  negative.put('a', ERROR);
  clock.advance(29_999);
  expect(ERROR.wasAsked).toBe(true);
  expect(negative.get('a')).toMatchObject({
    upstream: 'registry.test',
    failure: 'absent',
    reason: 'not-found',
    message: 'registry.test: no such blob',
    status: 404,
    isVerdict: true,
    wasAsked: false,
  });
  clock.advance(1);
  expect(negative.get('a')).toBeUndefined();
});

test.each([
  [30_000, 5_000],
  [2_000, 2_000],
])('of %i ms, what is not proven to be the word of the registry has %i', (ttlMs, expected) => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, ttlMs);
  negative.put('a', UNPROVEN);
  clock.advance(expected - 1);
  expect(negative.get('a')).toMatchObject({ failure: 'absent', isVerdict: false });
  clock.advance(1);
  expect(negative.get('a')).toBeUndefined();
});

test('setting the machine clock does not prolong it', () => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  negative.put('a', ERROR);
  clock.jump(-86_400_000);
  clock.advance(30_000);
  expect(negative.get('a')).toBeUndefined();
});

test('it is bounded: the oldest goes first', () => {
  const negative = new NegativeCache(new ManualClock(), 30_000, 2);
  for (const key of ['a', 'b', 'c']) negative.put(key, ERROR);
  expect(['a', 'b', 'c'].map((key) => negative.get(key) !== undefined)).toEqual([false, true, true]);
});

test('a time of zero turns it off', () => {
  const negative = new NegativeCache(new ManualClock(), 0);
  negative.put('a', ERROR);
  expect(negative.get('a')).toBeUndefined();
});

describe('what is disproved', () => {
  const here = { upstream: 'registry.test', repository: 'acme/app' as RepositoryName };
  const digest = digestOf('x');
  const questions = ['manifest', 'blob', 'confirm'] as const;

  test('is forgotten, whatever the question was, and nothing else is', () => {
    const negative = new NegativeCache(new ManualClock(), 30_000);
    const others = [
      { key: { ...here, upstream: 'other.test' }, digest },
      { key: { ...here, repository: 'acme/other' as RepositoryName }, digest },
      { key: here, digest: digestOf('y') },
    ];
    const isKnown = (name: string): boolean => negative.get(name) !== undefined;
    const otherNames = others.flatMap(({ key, digest }) => questions.map((q) => refusalKey(q, key, digest)));
    const names = questions.map((question) => refusalKey(question, here, digest));
    for (const name of [...names, ...otherNames]) negative.put(name, ERROR);
    negative.disprove(here, digest);
    expect(names.map(isKnown)).toEqual([false, false, false]);
    expect(otherNames.every(isKnown)).toBe(true);
  });
});
