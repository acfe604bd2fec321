import { configureGlobal } from 'fast-check';

/**
 * Properties run with a fixed seed, so that a failure comes from the change under test and not from chance.
 * Long runs look further: `LARDER_FUZZ_RUNS=100000 LARDER_SEED=$RANDOM npm test -- NAME --testTimeout=0`.
 */
const runs = process.env['LARDER_FUZZ_RUNS'];
configureGlobal({
  seed: Number(process.env['LARDER_SEED'] ?? 1),
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});
