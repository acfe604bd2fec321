/** A test that passes when nothing is changed. */
export interface KnownTest {
  /** As vitest knows it. */
  readonly id: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly durationMs: number;
}

/** What one test file has run. */
export interface FileCoverage {
  readonly file: string;
  readonly tests: readonly KnownTest[];
  /** The sites that each test has run, by its id. */
  readonly byTest: ReadonlyMap<string, ReadonlySet<number>>;
  /** Those that were run before any test: when modules were loaded, or by what all of its tests share. */
  readonly shared: ReadonlySet<number>;
}

/** Where a mutant is. */
export interface Whereabouts {
  /** Of the source, relative to the root of the repository. */
  readonly path: string;
  readonly site: number;
  readonly isStatic: boolean;
  /** All sites of that source that a call runs. */
  readonly siblings: readonly number[];
}

/**
 * The tests that may see a mutant, those first that tell soonest, until they take `limitMs` together when nothing is
 * changed. Every test of a file loads the same modules, so for what is run by loading, those count that run
 * something else of the same source.
 */
export function chooseTests(
  coverage: readonly FileCoverage[],
  where: Whereabouts,
  limitMs: number,
): KnownTest[] {
  const groups = coverage
    .map((file) => testsOf(file, where))
    .filter((tests) => tests.length > 0)
    .map((tests) => ({ tests, ms: total(tests), isNear: isBeside(tests, where.path) }))
    .sort((a, b) => Number(b.isNear) - Number(a.isNear) || a.ms - b.ms);
  return within(
    groups.flatMap(({ tests }) => tests),
    limitMs,
  );
}

function testsOf(file: FileCoverage, { site, isStatic, siblings }: Whereabouts): KnownTest[] {
  if (isStatic) {
    if (!file.shared.has(site)) return [];
    const users = file.tests.filter(({ id }) => siblings.some((it) => file.byTest.get(id)?.has(it)));
    return siblings.length === 0 ? [...file.tests] : users;
  }
  return file.shared.has(site)
    ? [...file.tests]
    : file.tests.filter(({ id }) => file.byTest.get(id)?.has(site));
}

function isBeside([test]: readonly KnownTest[], path: string): boolean {
  return test?.file === path.replace(/\.ts$/, '.test.ts');
}

/** The first of them, whatever it takes. */
function within(tests: readonly KnownTest[], limitMs: number): KnownTest[] {
  let ms = 0;
  return tests.filter(({ durationMs }, i) => {
    const isIn = i === 0 || ms + durationMs <= limitMs;
    if (isIn) ms += durationMs;
    return isIn;
  });
}

/** Milliseconds. */
export function total(tests: readonly KnownTest[]): number {
  return tests.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
