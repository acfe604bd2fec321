import { describe, expect, it } from 'vitest';
import { chooseTests, type FileCoverage, type Whereabouts } from './coverage.ts';

/** Makes the coverage of a test file, from its tests: how long each takes, and the sites that it runs. */
function covered(
  file: string,
  tests: Readonly<Record<string, readonly [ms: number, ...sites: number[]]>>,
  shared: readonly number[] = [],
): FileCoverage {
  const entries = Object.entries(tests);
  return {
    file,
    tests: entries.map(([id, [durationMs]]) => ({ id, file, durationMs })),
    byTest: new Map(entries.map(([id, [, ...sites]]) => [id, new Set(sites)])),
    shared: new Set(shared),
  };
}

function chosen(coverage: readonly FileCoverage[], where: Partial<Whereabouts>, limitMs = 1000): string[] {
  const whereabouts = { path: 'src/a.ts', site: 1, isStatic: false, siblings: [1], ...where };
  return chooseTests(coverage, whereabouts, limitMs).map(({ id }) => id);
}

describe('the tests for a mutant', () => {
  it('are those that run its site', () => {
    expect(chosen([covered('b.test.ts', { no: [1, 2], yes: [1, 1, 2] })], {})).toEqual(['yes']);
  });

  it('are all tests of a file that runs its site before any of them', () => {
    expect(chosen([covered('b.test.ts', { a: [1], b: [1] }, [1])], {})).toEqual(['a', 'b']);
  });

  it('come from the file beside the source first, then the shortest', () => {
    const coverage = [
      covered('slow.test.ts', { slow: [30, 1] }),
      covered('quick.test.ts', { quick: [10, 1] }),
      covered('src/a.test.ts', { near: [90, 1] }),
    ];
    expect(chosen(coverage, {})).toEqual(['near', 'quick', 'slow']);
  });

  it('take no longer than the limit, except for the first', () => {
    const coverage = [covered('b.test.ts', { a: [60, 1], b: [60, 1], c: [30, 1] })];
    expect(chosen(coverage, {}, 100)).toEqual(['c', 'a']);
    expect(chosen(coverage, {}, 10)).toEqual(['c']);
  });

  describe('that runs when its module is loaded', () => {
    it('are those that run another site of the source', () => {
      const coverage = [
        covered('b.test.ts', { user: [1, 2], other: [1, 9] }, [1]),
        covered('without.test.ts', { user: [1, 2] }),
      ];
      expect(chosen(coverage, { isStatic: true, siblings: [2] })).toEqual(['user']);
    });

    it('are all that load the source if it has no other sites', () => {
      const coverage = [covered('b.test.ts', { a: [1], b: [1] }, [1])];
      expect(chosen(coverage, { isStatic: true, siblings: [] })).toEqual(['a', 'b']);
    });
  });
});
