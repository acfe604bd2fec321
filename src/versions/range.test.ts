import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInRange, parseVersionRange, VersionRangeError } from './range.ts';
import { compareVersions, parseVersion } from './version.ts';

function isIn(tag: string, range: string, prerelease = false): boolean {
  const version = parseVersion(tag);
  return version !== undefined && isInRange(version, parseVersionRange(range), prerelease);
}

describe('a range', () => {
  test.each([
    ['>=1.2 <2', '1.2 1.2.0 1.9 1.2.3-alpine v1.3', '1 1.1.9 2 2.0.1'],
    ['>=1.2,<2', '1.2 1.99', '2'],
    ['>= 1.2 < 2', '1.2', '2.1'],
    ['^1.2', '1.2 1.2.9 1.9', '1.1 2'],
    ['^1', '1 1.9', '2 0.9'],
    ['^0.2.3', '0.2.3 0.2.9', '0.3 0.2.2 1'],
    ['^0.0.3', '0.0.3 0.0.3.1', '0.0.4'],
    ['^0', '0 0.9', '1'],
    ['~1.2', '1.2 1.2.9', '1.3 1.1'],
    ['~1.2.3', '1.2.3 1.2.9', '1.3 1.2.2'],
    ['~>1.2.3', '1.2.4', '1.3'],
    ['~1', '1 1.9', '2'],
    ['~1.2.3.4', '1.2.3.4 1.2.3.9', '1.2.4'],
    ['1.x', '1 1.0 1.9.9', '2 0.1'],
    ['1.2.*', '1.2 1.2.9', '1.3'],
    ['1.2', '1.2 1.2.7', '1.3 1'],
    ['=1.2.3', '1.2.3 1.2.3-alpine 1.2.3.4', '1.2.4'],
    ['<=1.2', '1.2.7 1 0.1', '1.3'],
    ['>1.2', '1.3 2', '1.2.7 1.2'],
    ['1.2 - 1.4', '1.2 1.4.9', '1.5 1.1'],
    ['1 || 3', '1.5 3', '2'],
    ['v1.2', '1.2 v1.2.1', '1.3'],
    ['*', '1 99.9', '20240110 latest'],
    ['22.04', '22.04 22.4.1', '22.10'],
  ])('%s has %s, and not %s', (range, inside, outside) => {
    expect(inside.split(' ').filter((tag) => !isIn(tag, range))).toEqual([]);
    expect(outside.split(' ').filter((tag) => isIn(tag, range))).toEqual([]);
  });

  test.each([
    ['1.2.0-rc1', '>=1', false],
    ['1.2.0-rc1', '*', false],
    ['1.2.0-rc2', '>=1.2.0-rc1', true],
    ['1.2.0-beta', '>=1.2.0-rc1', false],
    ['1.3.0-rc1', '>=1.2.0-rc1', false],
    ['1.2.0', '>=1.2.0-rc1', true],
    ['1.2.0-rc1', '=1.2.0-rc1', true],
  ])('the prerelease %s is in %s: %s', (tag, range, expected) => {
    expect(isIn(tag, range)).toBe(expected);
  });

  test('has prereleases if they are asked for, but not those of the version that it stops at', () => {
    expect(isIn('1.2.0-rc1', '>=1', true)).toBe(true);
    expect(isIn('2.0.0-rc1', '<2', true)).toBe(false);
    expect(isIn('2.0.0-rc1', '^1', true)).toBe(false);
  });

  test.each([
    '',
    ' ',
    '||',
    '1 ||',
    'abc',
    '>=',
    '1.2.3.4.5',
    '1..2',
    '>=1.2-alpine',
    '=>1',
    '1.2.3-rc1-slim',
    '\u001b',
  ])('%j is none', (text) => {
    expect(() => parseVersionRange(text)).toThrow(VersionRangeError);
  });
});

const tag = fc
  .tuple(
    fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '-rc1', '-beta.2', '-slim', '-ls4'),
  )
  .map(([numbers, suffix]) => numbers.join('.') + suffix);

const bound = fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join('.'));

test('above a lower bound all that is later is in the range, and below an upper one all that is earlier', () => {
  fc.assert(
    fc.property(tag, tag, bound, (one, other, numbers) => {
      const [earlier, later] = [one, other]
        .flatMap((text) => parseVersion(text) ?? [])
        .toSorted(compareVersions)
        .map((version) => version.tag);
      for (const operator of ['>=', '>', '<=', '<']) {
        const range = operator + numbers;
        const [inner = '', outer = ''] = operator.startsWith('>') ? [earlier, later] : [later, earlier];
        const isMonotone = !isIn(inner, range, true) || isIn(outer, range, true);
        expect([range, isMonotone]).toEqual([range, true]);
      }
    }),
  );
});
