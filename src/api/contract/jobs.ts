import * as z from 'zod';
import { JOB_KINDS, type JobKind } from './job-kinds.ts';
import { next } from './page.ts';
import { Count, Time } from './values.ts';

const JobState = z.enum(['running', 'done', 'failed', 'cancelled', 'interrupted']);

export const ProgressReport = z.object({
  done: Count,
  total: Count.optional(),
  unit: z.enum(['bytes', 'items']),
  note: z.string().optional().describe('what is being done now'),
  parts: z
    .array(z.object({ name: z.string(), done: Count, total: Count }))
    .readonly()
    .optional()
    .describe('what is under way of it, in the same unit'),
});

/** A job, as lists and events show it. */
export const ListedJob = z.object({
  id: z.string(),
  kind: z.string(),
  state: JobState,
  progress: ProgressReport.optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  startedAt: Time,
  endedAt: Time.optional(),
});

/** A job, with what was requested and what came of it: in the shapes of its kind. */
export const Job = ListedJob.extend({
  request: z.unknown().describe('null: it is too long to be kept'),
  result: z.unknown().optional(),
});

export const Jobs = z.object({ jobs: z.array(ListedJob), next });

type Start = {
  [Name in JobKind]: z.ZodObject<
    { kind: z.ZodLiteral<Name>; request: (typeof JOB_KINDS)[Name]['request'] },
    z.core.$strict
  >;
}[JobKind];

const STARTS = Object.entries(JOB_KINDS).map(([kind, { request }]) =>
  z.strictObject({ kind: z.literal(kind), request }),
);

/** What starts a job. */
export const StartJob = z.discriminatedUnion('kind', STARTS as unknown as readonly [Start, ...Start[]]);

export type ProgressReport = z.infer<typeof ProgressReport>;
export type ListedJob = z.infer<typeof ListedJob>;
export type Job = z.infer<typeof Job>;
