import { IndexDamagedError } from '../error.ts';
import type { JobCursor, JobEntry, JobError, JobProgress, JobState, JobSummary } from '../job-index.ts';

const SUMMARY = 'id, kind, state, progress, error, started_at, ended_at';

/** Statements about jobs. What a job says (its request, progress, result and error) is kept as JSON. */
export const JOB_SQL = {
  putJob: `
    INSERT INTO jobs (id, kind, state, progress, error, started_at, ended_at, request, result)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, progress = excluded.progress, error = excluded.error,
      ended_at = excluded.ended_at, result = excluded.result`,
  job: `SELECT ${SUMMARY}, request, result FROM jobs WHERE id = ?`,
  jobs: `
    SELECT ${SUMMARY} FROM jobs WHERE (started_at, id) < (?, ?) ORDER BY started_at DESC, id DESC LIMIT ?`,
  interruptJobs: "UPDATE jobs SET state = 'interrupted' WHERE state = 'running'",
  // The time by which a job must have begun to be among the last ones.
  oldestKeptJob: `
    SELECT started_at FROM jobs WHERE started_at < ? ORDER BY started_at DESC LIMIT 1 OFFSET ?`,
  deleteJobsBefore: "DELETE FROM jobs WHERE started_at < ? AND state <> 'running'",
} as const;

/** The rows of the statements that give rows. */
export interface JobRows {
  job: JobRows['jobs'] & { readonly request: string; readonly result: string | null };
  jobs: {
    readonly id: string;
    readonly kind: string;
    readonly state: JobState;
    readonly progress: string | null;
    readonly error: string | null;
    readonly started_at: number;
    readonly ended_at: number | null;
  };
  oldestKeptJob: { readonly started_at: number };
}

/** The parameters of `putJob`. */
export type JobValues = readonly (string | number | null)[];

export function toJobValues(job: JobEntry): JobValues {
  const { id, kind, state, progress, error, startedAt, endedAt, request, result } = job;
  const said = [json(progress), json(error)];
  return [id, kind, state, ...said, startedAt, endedAt ?? null, JSON.stringify(request), json(result)];
}

/** Returns the cursor of a page as the two parameters of `jobs`. */
export function toCursorValues(after: JobCursor | undefined): readonly [startedAt: number, id: string] {
  return after === undefined ? [Number.MAX_SAFE_INTEGER, ''] : [after.startedAt, after.id];
}

/** @throws IndexDamagedError */
export function toJobSummary(row: JobRows['jobs']): JobSummary {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    progress: value(row.id, row.progress) as JobProgress | undefined,
    error: value(row.id, row.error) as JobError | undefined,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
  };
}

/** @throws IndexDamagedError */
export function toJobEntry(row: JobRows['job']): JobEntry {
  return { ...toJobSummary(row), request: value(row.id, row.request), result: value(row.id, row.result) };
}

function json(of: unknown): string | null {
  return of === undefined ? null : JSON.stringify(of);
}

function value(id: string, text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new IndexDamagedError(`the index holds a job that cannot be read: ${id}`, 'JOB', { cause: error });
  }
}
