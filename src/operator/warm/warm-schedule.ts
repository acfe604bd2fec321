import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { ContentSurvey } from '../../index/content-survey.ts';
import type { JobEntry, JobSummary } from '../../index/job-index.ts';
import { OperatorError } from '../error.ts';
import type { WarmRequest, WarmResult } from './warm-job.ts';

/** What is pulled again and again. */
export interface WarmPlan {
  /** Milliseconds between the beginnings of two runs. */
  readonly everyMs: number;
  readonly request: WarmRequest;
}

export interface WarmScheduleOptions {
  readonly plans: readonly WarmPlan[];
  readonly jobs: {
    start(kind: 'warm', request: WarmRequest): Promise<Pick<JobEntry, 'id'>>;
    get(id: string): Promise<JobEntry>;
    watch(listener: (job: JobSummary) => void): () => void;
  };
  readonly index: Pick<ContentSurvey, 'note' | 'putNote'>;
  readonly clock: Clock;
  readonly events: Events;
  /** Returns a number from 0 up to but not including 1. */
  readonly random: () => number;
}

/** Interval between looks at whether a run is due. */
const LOOK_EVERY_MS = 30_000;

/** By how much of its interval a run may be earlier or later: mirrors that started together ask at different times. */
const JITTER = 0.1;

const NOTE = 'warm';

/** When the next run of each plan is due, by the plan's text; milliseconds since the epoch. */
type DueTimes = Readonly<Record<string, number>>;

/** Whether a plan's run is due: at its time, at first, and if the clock was set back. */
export function isDue(dueAt: number | undefined, everyMs: number, now: number): boolean {
  if (dueAt === undefined || dueAt <= now) return true;
  return dueAt - now > everyMs * (1 + JITTER);
}

/** Returns when the run after one that begins now is due. @param random from 0 to 1 */
export function nextDue({ everyMs }: Pick<WarmPlan, 'everyMs'>, now: number, random: number): number {
  return now + Math.floor(everyMs * (1 - JITTER + 2 * JITTER * random));
}

/** Pulls images by plans, each run as a job. A run that a restart breaks off begins again after it. */
export class WarmSchedule {
  readonly #options: WarmScheduleOptions;
  /** The plans that run, by the ids of their jobs, with when their next run is due. */
  readonly #running = new Map<string, { readonly plan: WarmPlan; readonly dueAt: number }>();
  readonly #unwatch: () => void;
  #cancel: (() => void) | undefined;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: WarmScheduleOptions) {
    this.#options = options;
    this.#unwatch = options.jobs.watch((job) => {
      if (job.state !== 'running' && this.#running.has(job.id)) this.#then(() => this.#ended(job));
    });
  }

  start(): void {
    this.#then(async () => {
      const due = await this.#read();
      for (const plan of this.#options.plans) await this.#look(plan, due);
    });
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => this.start());
  }

  /** Begins no more runs. Those that run are the jobs' to end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    this.#cancel?.();
    await this.#work;
  }

  /** Does one thing after the other, so that no note is written from an older one. */
  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#options.events.emit({ kind: 'maintenance-failed', task: 'warm', error });
    });
  }

  async #look(plan: WarmPlan, due: DueTimes): Promise<void> {
    const { jobs, clock, random } = this.#options;
    const isRunning = [...this.#running.values()].some((running) => running.plan === plan);
    if (this.#isClosed || isRunning || !isDue(due[keyOf(plan)], plan.everyMs, clock.now())) return;
    const dueAt = nextDue(plan, clock.now(), random());
    try {
      const { id } = await jobs.start('warm', plan.request);
      this.#running.set(id, { plan, dueAt });
      // It may have ended before its id was known here.
      const job = await jobs.get(id);
      if (job.state !== 'running') await this.#ended(job);
    } catch (error) {
      // The next look tries again.
      if (!(error instanceof OperatorError && error.code === 'busy')) throw error;
    }
  }

  async #ended({ id, state }: JobSummary): Promise<void> {
    const run = this.#running.get(id);
    if (run === undefined) return;
    this.#running.delete(id);
    if (state === 'interrupted') return;
    const { plans, index, jobs } = this.#options;
    const before = await this.#read();
    const due = Object.fromEntries(plans.map((plan) => [keyOf(plan), before[keyOf(plan)]]));
    await index.putNote(NOTE, JSON.stringify({ ...due, [keyOf(run.plan)]: run.dueAt }));
    const { result, error } = await jobs.get(id);
    if (error !== undefined) throw new OperatorError('failed', error.message);
    assertWhole(result as WarmResult | undefined);
  }

  async #read(): Promise<DueTimes> {
    return parseDueTimes(await this.#options.index.note(NOTE));
  }
}

/** @throws OperatorError that names an image that is not whole, for the log */
function assertWhole(result: WarmResult | undefined): void {
  const failed = result?.images.find(({ failures }) => failures.length > 0);
  if (result === undefined || failed === undefined) return;
  const reason = failed.failures[0]?.reason ?? '';
  throw new OperatorError(
    'failed',
    `${result.failed} of ${result.images.length} images are not whole, among them ${failed.reference}: ${reason}`,
  );
}

function keyOf({ everyMs, request }: WarmPlan): string {
  return JSON.stringify([everyMs, request]);
}

/** Reads a note; what is no time of a plan is left out. */
export function parseDueTimes(text: string | undefined): DueTimes {
  try {
    const value = JSON.parse(text ?? '{}') as unknown;
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    );
  } catch {
    return {};
  }
}
