import { defineConfig } from 'vitest/config';

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
          expect: { poll: { timeout: 10_000 } },
          setupFiles: ['test/support/fast-check-setup.ts'],
          include: ['test/integration/**/*.test.ts', 'test/fault/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 20_000,
        },
      },
      {
        // Real registries and real clients share ports, mounts and two cores: one file at a time.
        test: {
          name: 'e2e',
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
