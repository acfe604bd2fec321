/** A test that passes when no mutant is in place. */
export interface KnownTest {
  /** The id that vitest gives it. */
  readonly id: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly durationMs: number;
}

/** The sites that one test file has run. */
export interface FileCoverage {
  readonly file: string;
  readonly tests: readonly KnownTest[];
  /** The sites that each test has run, by its id. */
  readonly byTest: ReadonlyMap<string, ReadonlySet<number>>;
  /** The sites that were run before any test: when modules were loaded, or by a setup that all tests share. */
  readonly shared: ReadonlySet<number>;
}

/** The place of a mutant. */
export interface Whereabouts {
  /** The source's path, relative to the root of the repository. */
  readonly path: string;
  readonly site: number;
  readonly isStatic: boolean;
  /** All sites of that source that run only by a call. */
  readonly siblings: readonly number[];
}

/**
 * Returns tests that may notice a mutant, as many as take `limitMs` together without one: those beside the source
 * first, then the shortest. Every test of a file loads the same modules, so a site that runs by loading counts as run
 * by the tests that run another site of the same source.
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

/** Returns the tests that fit into the limit, and the first one in any case. */
function within(tests: readonly KnownTest[], limitMs: number): KnownTest[] {
  let ms = 0;
  return tests.filter(({ durationMs }, i) => {
    const isIn = i === 0 || ms + durationMs <= limitMs;
    if (isIn) ms += durationMs;
    return isIn;
  });
}

/** Returns the tests' duration together, milliseconds. */
export function total(tests: readonly KnownTest[]): number {
  return tests.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
