import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { runSteps, totalsOf, type StepReport } from './steps.ts';

it('runs steps in their order, and times each', async () => {
  const clock = new ManualClock();
  const told: StepReport[] = [];
  const reports = await runSteps(
    {
      'look for dust': async () => {
        clock.advance(5);
        return { found: 2 };
      },
      sweep: async () => {
        clock.advance(7);
        return { found: 1, swept: 3 };
      },
    },
    clock,
    (report) => told.push(report),
  );
  expect(reports).toEqual([
    { step: 'look for dust', durationMs: 5, stats: { found: 2 } },
    { step: 'sweep', durationMs: 7, stats: { found: 1, swept: 3 } },
  ]);
  expect(told).toEqual(reports);
  expect(totalsOf(reports)).toEqual({ found: 3, swept: 3 });
});

it('ends at the step that fails', async () => {
  const later = { isRun: false };
  const steps = {
    broken: () => Promise.reject(new Error('no broom')),
    later: async () => {
      later.isRun = true;
      return {};
    },
  };
  await expect(runSteps(steps, new ManualClock())).rejects.toThrow('no broom');
  expect(later.isRun).toBe(false);
});
