import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Hundreds of tests start the program: what Node has compiled is kept, as `npm start` does it. */
const COMPILED = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/larder') };

/** Suites that run a second time, by a clock that moves. */
const MOVING_CLOCK = [
  'eviction/evictor',
  'maintenance/remove',
  'maintenance/verify',
  'mirror/blobs',
  'mirror/disk',
  'mirror/eviction',
  'mirror/hot-manifests',
  'mirror/memory-and-disk',
  'mirror/permission',
  'mirror/tags',
  'mirror/turns',
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Bounds for a hung test, wide enough for properties on a machine that is busy with other things.
          testTimeout: 30_000,
          include: [
            'src/**/*.test.ts',
            'bench/**/*.test.ts',
            'mutate/**/*.test.ts',
            'test/architecture.test.ts',
            'test/promises.test.ts',
          ],
          setupFiles: ['test/support/fast-check-setup.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          env: COMPILED,
          expect: { poll: { timeout: 10_000 } },
          setupFiles: ['test/support/fast-check-setup.ts'],
          include: ['test/integration/**/*.test.ts', 'test/fault/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 20_000,
        },
      },
      {
        // What does not depend on exact ages holds by a clock that moves whenever it is read, too. One that stands still
        // hides what moves ahead of the code that looks for its end, and a rest that is counted in durations.
        test: {
          name: 'moving-clock',
          env: { ...COMPILED, MS_PER_READING: '1' },
          expect: { poll: { timeout: 10_000 } },
          setupFiles: ['test/support/fast-check-setup.ts'],
          include: MOVING_CLOCK.map((suite) => `test/integration/${suite}.test.ts`),
          testTimeout: 60_000,
          hookTimeout: 20_000,
        },
      },
      {
        // Real registries and real clients share ports, mounts and two cores: one file at a time.
        test: {
          name: 'e2e',
          env: COMPILED,
          include: ['test/e2e/**/*.test.ts', 'test/crash/**/*.test.ts', 'test/soak/**/*.test.ts'],
          globalSetup: ['test/support/e2e/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
