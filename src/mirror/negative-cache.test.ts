import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import { digestOf } from '../oci/digest.ts';
import { NegativeCache, refusalKey } from './negative-cache.ts';

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
])('with a lifetime of %i ms, an unproven refusal is remembered for %i ms', (ttlMs, expected) => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, ttlMs);
  negative.put('a', UNPROVEN);
  clock.advance(expected - 1);
  expect(negative.get('a')).toMatchObject({ failure: 'absent', isVerdict: false });
  clock.advance(1);
  expect(negative.get('a')).toBeUndefined();
});

test('setting the machine’s clock does not prolong a refusal', () => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  negative.put('a', ERROR);
  clock.jump(-86_400_000);
  clock.advance(30_000);
  expect(negative.get('a')).toBeUndefined();
});

test('the cache is bounded: the oldest refusal goes first', () => {
  const negative = new NegativeCache(new ManualClock(), 30_000, 2);
  for (const key of ['a', 'b', 'c']) negative.put(key, ERROR);
  expect(['a', 'b', 'c'].map((key) => negative.get(key) !== undefined)).toEqual([false, true, true]);
});

test('a refusal that has reached the greatest age that the client takes is not repeated', () => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  clock.advance(100_000);
  negative.put('a', ERROR);
  clock.advance(4_999);
  expect(negative.get('a', 5_000)).toMatchObject({ ageMs: 4_999 });
  clock.advance(1);
  expect(negative.get('a', 5_000)).toBeUndefined();
  expect(negative.get('a')).toMatchObject({ ageMs: 5_000 });
});

test('a refusal whose time has passed takes no place from one whose time has not', () => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000, 2);
  negative.put('old', ERROR);
  clock.advance(1_000);
  negative.put('young', ERROR);
  clock.advance(29_000);
  expect(negative.get('old')).toBeUndefined();
  negative.put('new', ERROR);
  expect([negative.get('young'), negative.get('new')].every((error) => error !== undefined)).toBe(true);
});

test('ten thousand refusals are remembered by default', () => {
  const negative = new NegativeCache(new ManualClock(), 30_000);
  for (let i = 0; i <= 10_000; i += 1) negative.put(String(i), ERROR);
  expect([negative.get('0') === undefined, negative.get('1') === undefined]).toEqual([true, false]);
});

test('a lifetime of zero turns the cache off', () => {
  const negative = new NegativeCache(new ManualClock(), 0);
  negative.put('a', ERROR);
  expect(negative.get('a')).toBeUndefined();
});

describe('a refusal that is disproved', () => {
  const here = { registry: 'registry.test', repository: 'acme/app' as RepositoryName };
  const digest = digestOf('x');
  const questions = ['manifest', 'blob', 'confirm'] as const;

  test('is forgotten for every question about the digest, and no other refusal is', () => {
    const negative = new NegativeCache(new ManualClock(), 30_000);
    const others = [
      { key: { ...here, registry: 'other.test' }, digest },
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

  test('is forgotten also if no other refusal is known', () => {
    const negative = new NegativeCache(new ManualClock(), 30_000);
    const name = refusalKey('blob', here, digest);
    negative.put(name, ERROR);
    negative.disprove(here, digest);
    expect(negative.get(name)).toBeUndefined();
  });

  describe('while the question is under way', () => {
    test.each(questions)('is not remembered when the refusal comes: %s', (question) => {
      const negative = new NegativeCache(new ManualClock(), 30_000);
      const name = refusalKey(question, here, digest);
      const mark = negative.mark(here, digest);
      negative.disprove(here, digest);
      negative.put(name, ERROR, mark);
      expect(negative.get(name)).toBeUndefined();
    });

    test('is refused again by a question that came after', () => {
      const negative = new NegativeCache(new ManualClock(), 30_000);
      const name = refusalKey('manifest', here, digest);
      const early = negative.mark(here, digest);
      negative.disprove(here, digest);
      negative.put(name, ERROR, negative.mark(here, digest));
      expect(negative.get(name)).toBeDefined();
      // The late answer does not remove the refusal that was remembered meanwhile.
      negative.put(name, ERROR, early);
      expect(negative.get(name)).toBeDefined();
    });

    test.each([
      ['another digest', here, digestOf('y')],
      ['another repository', { ...here, repository: 'acme/other' as RepositoryName }, digest],
      ['another upstream', { ...here, registry: 'other.test' }, digest],
    ])('takes nothing from a refusal of %s', (_, key, other) => {
      const negative = new NegativeCache(new ManualClock(), 30_000);
      const mark = negative.mark(key, other);
      for (let i = 0; i < 100; i += 1) negative.disprove(here, digest);
      negative.put(refusalKey('blob', key, other), ERROR, mark);
      expect(negative.get(refusalKey('blob', key, other))).toBeDefined();
    });

    test('is remembered again if too many others were disproved since: their number is bounded', () => {
      const negative = new NegativeCache(new ManualClock(), 30_000, 2);
      const digests = ['a', 'b', 'c'].map((text) => digestOf(text));
      const marks = digests.map((each) => negative.mark(here, each));
      for (const each of digests) negative.disprove(here, each);
      const isRemembered = digests.map((each, i) => {
        const name = refusalKey('blob', here, each);
        negative.put(name, ERROR, marks[i]);
        return negative.get(name) !== undefined;
      });
      expect(isRemembered).toEqual([true, false, false]);
    });
  });
});
