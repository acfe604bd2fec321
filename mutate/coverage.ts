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
 * The tests that may see a mutant, until they take `limitMs` together when nothing is changed: those beside the source
 * first, then the shortest. Every test of a file loads the same modules, so for what is run by loading, those count
 * that run something else of the same source.
 */
export function chooseTests(
  coverage: readonly FileCoverage[],
  where: Whereabouts,
  limitMs: number,
): KnownTest[] {
  const isNear = ({ file }: KnownTest): boolean => file === where.path.replace(/\.ts$/, '.test.ts');
  const tests = coverage
    .flatMap((file) => testsOf(file, where))
    .sort((a, b) => Number(isNear(b)) - Number(isNear(a)) || a.durationMs - b.durationMs);
  return within(tests, limitMs);
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
