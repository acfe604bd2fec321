/** `interrupted`: the process ended before the job did. */
export type JobState = 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';

/** How far a job has come. */
export interface JobProgress {
  readonly done: number;
  /** Absent: it is not known yet, or never. */
  readonly total?: number | undefined;
  readonly unit: 'bytes' | 'items';
  /** What is being done now, in words for the operator. */
  readonly note?: string | undefined;
  /** What is under way of it, such as the blobs that are being pulled; in the same unit. */
  readonly parts?: readonly JobPart[] | undefined;
}

/** A part of a job that is under way. */
interface JobPart {
  readonly name: string;
  readonly done: number;
  readonly total: number;
}

/** Why a job failed, in words for the operator. */
export interface JobError {
  readonly code: string;
  readonly message: string;
}

/** What a list of jobs says of one. Times are milliseconds since the epoch. */
export interface JobSummary {
  readonly id: string;
  /** What is done: `verify`, … */
  readonly kind: string;
  readonly state: JobState;
  /** Absent: the job has not reported yet. */
  readonly progress?: JobProgress | undefined;
  /** Present once the job has failed. */
  readonly error?: JobError | undefined;
  readonly startedAt: number;
  /** Absent while the job runs, and if the process ended before it did. */
  readonly endedAt?: number | undefined;
}

/** A job. What was requested and what came of it are JSON values, whose shape depends on the kind. */
export interface JobEntry extends JobSummary {
  /** Null: it is too long to be kept. */
  readonly request: unknown;
  /** Present once the job is done. */
  readonly result?: unknown;
}

/** The job after which a page begins. */
export type JobCursor = Pick<JobSummary, 'id' | 'startedAt'>;

/** The jobs of this cache: those that run, and the last ones that have ended. */
export interface JobIndex {
  /** Records the job as it is now. Its id, kind, request and start never change. */
  putJob(job: JobEntry): Promise<void>;
  job(id: string): Promise<JobEntry | undefined>;
  /** Jobs, those that began last first. @param page `after`: absent for the first page */
  jobs(page: {
    readonly after?: JobCursor | undefined;
    readonly limit: number;
  }): Promise<readonly JobSummary[]>;
  /** Turns every job that runs into an interrupted one. */
  interruptJobs(): Promise<void>;
  /** Forgets the oldest jobs that have ended, so that of all jobs about `kept` are left. */
  trimJobs(kept: number): Promise<void>;
}
