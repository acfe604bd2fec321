import * as z from 'zod';
import { Count } from '../values.ts';

const StepCounts = z.record(z.string(), z.number());

const Finding = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal(['quarantined', 'failed', 'not-repaired']),
    digest: z.string(),
    reason: z.string(),
  }),
  z.object({ kind: z.literal('repaired'), digest: z.string() }),
]);

export const VerifyRequest = z.strictObject({
  repair: z.boolean().default(false).describe('whether what is wrong or missing is fetched again now'),
  bytesPerSecond: z.int().min(1).optional().describe('the most that is read in a second; absent: no limit'),
});

export const VerifyResult = z.object({
  isSound: z.boolean().describe('whether everything was right, or is right again'),
  steps: z.array(z.object({ step: z.string(), durationMs: z.number(), stats: StepCounts })),
  totals: StepCounts,
  findings: z.array(Finding).describe('the first things that were wrong or repaired'),
  moreFindings: Count.describe('how many more there were'),
});
