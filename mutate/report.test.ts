import { describe, expect, it } from 'vitest';
import { killRatio, summary, survivorLine, type Outcome } from './report.ts';

const MUTANT = { replacement: '2', change: '1 became 2', isBlock: false, isStatic: false };

function outcome(isKilled: boolean, start = 0, end = 1, tests = 1): Outcome {
  return { candidate: { path: 'src/a.ts', mutant: { ...MUTANT, start, end } }, isKilled, tests };
}

it('the ratio counts all mutants that were tried', () => {
  expect(killRatio([outcome(true), outcome(true), outcome(true), outcome(false)])).toBe(0.75);
  expect(killRatio([])).toBe(0);
});

it('the summary has the count, the seed and the time', () => {
  expect(summary([outcome(true), outcome(false)], 7, 61.4)).toBe(
    '1 of 2 mutants killed (50.0 %), seed 7, 61 s',
  );
});

describe('the line of a survivor', () => {
  it('has the place and the change', () => {
    expect(survivorLine(outcome(false, 4, 7), 'a =\nb +\n c')).toBe('src/a.ts:2 1 became 2: b +');
  });

  it('is a single, short line', () => {
    const source = 'a\n  + '.repeat(100);
    expect(survivorLine(outcome(false, 0, source.length), source)).toMatch(
      /^src\/a\.ts:1 1 became 2: a \+ a.{50,60}…$/,
    );
  });

  it('says so if no test runs the site', () => {
    expect(survivorLine(outcome(false, 0, 1, 0), 'a')).toBe('src/a.ts:1 1 became 2: a (no test gets there)');
  });
});
