import type { Clock } from '../../clock.ts';
import type { JobEntry, JobProgress, JobSummary } from '../../index/job-index.ts';
import type { JobContext } from './job-work.ts';

/** Interval between two tellings of one job's progress: more often no reader can follow. */
const TELL_EVERY_MS = 250;

export interface RunningJobOptions {
  readonly clock: Clock;
  /** Called when the job has changed, for its progress at most four times a second. */
  readonly onChange: (job: JobSummary) => void;
}

/** How a job has ended. */
export type JobEnd = Pick<JobEntry, 'state' | 'result' | 'error' | 'endedAt'>;

/** A job of this process: what it is now, and the means to end it. */
export class RunningJob {
  readonly #options: RunningJobOptions;
  readonly #controller = new AbortController();
  #entry: JobEntry;
  /** Cancels the timer after which the next progress may be told; absent: it may be told at once. */
  #cancelTimer: (() => void) | undefined;
  #isNews = false;

  constructor(entry: JobEntry, options: RunningJobOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  get entry(): JobEntry {
    return this.#entry;
  }

  get summary(): JobSummary {
    const { request: _, result: __, ...summary } = this.#entry;
    return summary;
  }

  get context(): JobContext {
    return { signal: this.#controller.signal, report: (progress) => this.#report(progress) };
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Sets how the job has ended. Reports of its work count no more. */
  end(end: JobEnd): void {
    this.#entry = { ...this.#entry, ...end };
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #report(progress: JobProgress): void {
    if (this.#entry.state !== 'running') return;
    this.#entry = { ...this.#entry, progress };
    this.#isNews = true;
    if (this.#cancelTimer === undefined) this.#tell();
  }

  #tell(): void {
    this.#cancelTimer = undefined;
    if (!this.#isNews) return;
    this.#isNews = false;
    this.#cancelTimer = this.#options.clock.after(TELL_EVERY_MS, () => this.#tell());
    this.#options.onChange(this.summary);
  }
}
