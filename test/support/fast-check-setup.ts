import { configureGlobal } from 'fast-check';

/**
 * Properties run with a fixed seed, so that a run tells of the change under test and of nothing else.
 * Long runs look further: `LARDER_FUZZ_RUNS=100000 LARDER_SEED=$RANDOM npm test -- NAME --testTimeout=0`.
 */
const runs = process.env['LARDER_FUZZ_RUNS'];
configureGlobal({
  seed: Number(process.env['LARDER_SEED'] ?? 1),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});
