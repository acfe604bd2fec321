import { join, relative } from 'node:path';
import type { CliOptions, Reporter, TestModule, TestSpecification, Vitest } from 'vitest/node';
import { createVitest } from 'vitest/node';
import type { FileCoverage, KnownTest } from './coverage.ts';

/** The tests that run the mutated sources. */
const TESTS = [
  'src/{content,mirror,store,eviction,upkeep,operator,upstream/auth}/**/*.test.ts',
  'test/integration/{mirror,eviction,upstream,maintenance}/**/*.test.ts',
];
/** Tests that start the program, which runs the unchanged files; the last of them takes too long. */
const EXCLUDE = [
  '**/commands.test.ts',
  '**/damaged-index.test.ts',
  '**/disk-process.test.ts',
  '**/million.test.ts',
];

export interface RunnerOptions {
  readonly root: string;
  /** Returns the text of a source, by its path relative to the root; undefined: the file as it is. */
  readonly load: (path: string) => string | undefined;
  /** Whether every file gets modules of its own, and all tests run even if some fail. */
  readonly isThorough: boolean;
  readonly setupFiles: readonly string[];
  readonly workers: number;
}

/** Runs the unit and integration tests, as one project, on sources that may differ from the files. */
export class Runner implements AsyncDisposable {
  readonly #vitest: Vitest;
  readonly #root: string;

  private constructor(vitest: Vitest, root: string) {
    this.#vitest = vitest;
    this.#root = root;
  }

  static async start(options: RunnerOptions): Promise<Runner> {
    const cliOptions: CliOptions = { root: options.root, config: false, watch: false, reporters: [SILENT] };
    const vitest = await createVitest(cliOptions, {
      plugins: [instead(options)],
      test: testOptions(options),
    });
    await vitest.standalone();
    return new Runner(vitest, options.root);
  }

  /** Runs all tests. @returns the coverage of each test file, without the tests that failed */
  async runAll(): Promise<FileCoverage[]> {
    const { testModules } = await this.#vitest.runTestSpecifications(
      await this.#vitest.globTestSpecifications(),
    );
    return testModules.map((module) => this.#coverageOf(module));
  }

  /** @returns whether all of these tests pass */
  async run(tests: readonly KnownTest[], timeoutMs: number): Promise<boolean> {
    const [project] = this.#vitest.projects;
    if (project === undefined) throw new Error('vitest has no project');
    project.config.testTimeout = timeoutMs;
    project.config.hookTimeout = timeoutMs;
    const specifications = [...Map.groupBy(tests, ({ file }) => file)].map(([file, tests]) =>
      project.createSpecification(join(this.#root, file), { testIds: tests.map(({ id }) => id) }),
    );
    const { testModules, unhandledErrors } = await this.#vitest.runTestSpecifications(specifications);
    const ran = testModules.filter(({ moduleId }) => isAmong(specifications, moduleId));
    return unhandledErrors.length === 0 && ran.every((module) => module.ok());
  }

  /** Forgets the loaded text of a source, since it has changed. */
  forget(path: string): void {
    this.#vitest.invalidateFile(join(this.#root, path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#vitest.close();
  }

  #coverageOf(module: TestModule): FileCoverage {
    const file = relative(this.#root, module.moduleId);
    const hits = Object.entries(module.meta().hits ?? {}).map(([id, sites]) => [id, new Set(sites)] as const);
    const tests = [...module.children.allTests('passed')].map((test) => ({
      id: test.id,
      file,
      durationMs: test.diagnostic()?.duration ?? 0,
    }));
    return { file, tests, byTest: new Map(hits), shared: new Map(hits).get('') ?? new Set() };
  }
}

const SILENT: Reporter = {};

function isAmong(specifications: readonly TestSpecification[], id: string): boolean {
  return specifications.some(({ moduleId }) => moduleId === id);
}

function instead({ root, load }: RunnerOptions) {
  return {
    name: 'larder-instead',
    enforce: 'pre' as const,
    load: (id: string): string | undefined => load(relative(root, id)),
  };
}

function testOptions({ isThorough, setupFiles, workers }: RunnerOptions) {
  return {
    include: TESTS,
    exclude: EXCLUDE,
    setupFiles: [...setupFiles],
    // The cache would return the earlier text of a source.
    fsModuleCache: false,
    isolate: isThorough,
    bail: isThorough ? 0 : 1,
    maxWorkers: workers,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    sequence: { sequencer: AsGiven },
  };
}

/** Keeps the files in the order in which they were given. */
class AsGiven {
  shard(files: TestSpecification[]): TestSpecification[] {
    return files;
  }

  sort(files: TestSpecification[]): TestSpecification[] {
    return files;
  }
}
