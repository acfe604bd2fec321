import { describe, expect, it } from 'vitest';
import { formatGoal, formatNumber, formatShare, formatTable } from './format.ts';

describe('a number', () => {
  it.each([
    [41234.5, '41,200'],
    [1999.9, '2,000'],
    [123.4, '123'],
    [12.34, '12.3'],
    [1, '1.00'],
    [0.012345, '0.0123'],
    [-3.14159, '-3.14'],
    [0, '0'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d is shown as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe('a share', () => {
  it.each([
    [0.123, '12 %'],
    [-0.05, '-5 %'],
    [Number.NaN, '–'],
  ])('%d is shown as %s', (share, text) => {
    expect(formatShare(share)).toBe(text);
  });
});

describe('a goal', () => {
  it.each([
    [{ metric: 'wall', against: 'nginx', atMost: 1.2 }, 's', 'wall: ≤ 1.2× nginx'],
    [{ metric: 'requests/s', against: 'a b', atLeast: 60 }, 'requests/s', 'requests/s: ≥ 60× a b'],
    [{ metric: 'RSS', atMost: 250 }, 'MB', 'RSS: ≤ 250 MB'],
  ])('%j is shown as it is said', (goal, unit, text) => {
    expect(formatGoal(goal, unit)).toBe(text);
  });
});

it('a table is one of Markdown', () => {
  expect(
    formatTable([
      ['a', 'b'],
      ['c', '1'],
    ]),
  ).toBe('| a | b |\n| --- | ---: |\n| c | 1 |');
});
