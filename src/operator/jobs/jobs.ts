import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import { IndexError } from '../../index/error.ts';
import type { JobCursor, JobEntry, JobError, JobIndex, JobSummary } from '../../index/job-index.ts';
import { StoreError } from '../../store/error.ts';
import { OperatorError } from '../error.ts';
import { explained } from '../explained.ts';
import type { JobWork } from './job-work.ts';
import { RunningJob, type JobEnd } from './running-job.ts';

/** The work of each kind of jobs. */
type Kinds<T> = { readonly [Kind in keyof T]: JobWork<never, unknown> };

export interface JobsOptions<T> {
  readonly kinds: T;
  readonly index: JobIndex;
  readonly clock: Clock;
  readonly events: Events;
  /** Makes the ids of jobs: unguessable, and without characters that a URL or a shell reads. */
  readonly randomId: () => string;
}

/** Jobs at the same time: each may read the disk or an upstream as fast as they can. */
const MAX_RUNNING = 4;

/** Jobs that are remembered. */
const MAX_KEPT = 200;

/** The longest request that is remembered, in characters of JSON: an export may name all that the other side has. */
const MAX_REQUEST = 64 * 1024;

const CANCELLED = new OperatorError('failed', 'the job was cancelled');
const INTERRUPTED = new OperatorError('failed', 'the process is ending');

/** Called with a job that has begun, come further, or ended. */
export type JobListener = (job: JobSummary) => void;

/**
 * Runs long work that does not end with its caller: a job begins, is asked about or watched, and may be cancelled. What
 * runs and how the last ones have ended is kept in the index, so that it is known after a restart.
 */
export class Jobs<T extends Kinds<T>> {
  readonly #options: JobsOptions<T>;
  readonly #jobs = new Map<string, RunningJob>();
  readonly #running = new Set<Promise<void>>();
  readonly #listeners = new Set<JobListener>();
  #isClosed = false;

  constructor(options: JobsOptions<T>) {
    this.#options = options;
  }

  /** The kinds of jobs that can be started. */
  get kinds(): readonly (keyof T & string)[] {
    return Object.keys(this.#options.kinds) as (keyof T & string)[];
  }

  /**
   * Begins a job. It is recorded before its work begins.
   * @throws OperatorError `busy` if too many jobs run
   */
  async start<Kind extends keyof T & string>(kind: Kind, request: Parameters<T[Kind]>[0]): Promise<JobEntry> {
    this.#assertRoom();
    const { clock, randomId, index } = this.#options;
    const kept = keptRequest(request);
    const entry: JobEntry = { id: randomId(), kind, request: kept, state: 'running', startedAt: clock.now() };
    const job = new RunningJob(entry, { clock, onChange: (summary) => this.#tell(summary) });
    this.#jobs.set(entry.id, job);
    const recorded = explained(() => index.putJob(entry));
    const work = (): Promise<unknown> => this.#options.kinds[kind](request, job.context);
    this.#track(
      recorded.then(
        () => this.#run(job, work),
        () => void this.#jobs.delete(entry.id),
      ),
    );
    await recorded;
    return entry;
  }

  /** Returns a job as it is now. @throws OperatorError `unknown` */
  async get(id: string): Promise<JobEntry> {
    const job = this.#jobs.get(id)?.entry ?? (await explained(() => this.#options.index.job(id)));
    if (job === undefined) throw new OperatorError('unknown', `there is no job ${id}`);
    return job;
  }

  /** Returns a page of the jobs, those that began last first. */
  async list(page: {
    readonly after?: JobCursor | undefined;
    readonly limit: number;
  }): Promise<readonly JobSummary[]> {
    const jobs = await explained(() => this.#options.index.jobs(page));
    return jobs.map((job) => this.#jobs.get(job.id)?.summary ?? job);
  }

  /**
   * Tells a job's work to end, and returns without waiting for it. A job that has ended stays as it is.
   * @throws OperatorError `unknown`
   */
  async cancel(id: string): Promise<JobEntry> {
    this.#jobs.get(id)?.abort(CANCELLED);
    return this.get(id);
  }

  /** Calls the listener with every change of a job from now on. @returns ends that */
  watch(listener: JobListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Turns the jobs that an earlier process has left into interrupted ones. Never rejects. */
  async restore(): Promise<void> {
    await this.#record(() => this.#options.index.interruptJobs());
  }

  /** Interrupts all jobs and waits for their work to end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#jobs.values()) job.abort(INTERRUPTED);
    await Promise.all(this.#running);
  }

  #assertRoom(): void {
    if (this.#isClosed) throw INTERRUPTED;
    const running = [...this.#jobs.values()].filter(({ entry }) => entry.state === 'running');
    if (running.length < MAX_RUNNING) return;
    throw new OperatorError('busy', `${MAX_RUNNING} jobs run already: wait for one to end, or cancel it`);
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #run(job: RunningJob, work: () => Promise<unknown>): Promise<void> {
    this.#tell(job.summary);
    const end = await this.#endOf(job, work);
    job.end({ ...end, endedAt: this.#options.clock.now() });
    const { index } = this.#options;
    const isKept = await this.#record(async () => {
      await index.putJob(job.entry);
      await index.trimJobs(MAX_KEPT);
    });
    // What the index could not keep is at least known as long as the process runs.
    if (isKept) this.#jobs.delete(job.entry.id);
    this.#tell(job.summary);
  }

  async #endOf({ context: { signal }, entry }: RunningJob, work: () => Promise<unknown>): Promise<JobEnd> {
    try {
      signal.throwIfAborted();
      return { state: 'done', result: await work() };
    } catch (error) {
      if (signal.aborted) return { state: signal.reason === CANCELLED ? 'cancelled' : 'interrupted' };
      return { state: 'failed', error: this.#explain(entry, error) };
    }
  }

  #explain({ kind }: JobEntry, error: unknown): JobError {
    if (error instanceof OperatorError) return { code: error.code, message: error.message };
    if (error instanceof StoreError || error instanceof IndexError)
      return { code: 'failed', message: error.message };
    this.#options.events.emit({ kind: 'server-failed', operation: `job ${kind}`, error });
    return { code: 'failed', message: 'internal error' };
  }

  async #record(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      this.#options.events.emit({ kind: 'store-failed', operation: 'record a job', error });
      return false;
    }
  }

  #tell(job: JobSummary): void {
    for (const listener of this.#listeners) listener(job);
  }
}

function keptRequest(request: unknown): unknown {
  return JSON.stringify(request).length <= MAX_REQUEST ? request : null;
}
