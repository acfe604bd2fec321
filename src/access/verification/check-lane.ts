import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../clock.ts';
import type { CheckAnswer } from './check-thread.ts';
import type { Check } from './checks.ts';

/** How long an idle thread is kept: its memory is worth more than the 50 ms that a new one takes. */
const IDLE_MS = 10_000;

/** The same file, `.ts` before and `.js` after compilation. */
const THREAD = new URL(`./check-thread${extname(import.meta.filename)}`, import.meta.url);

export interface CheckLaneOptions {
  readonly clock: Clock;
  /** The module that the thread runs; absent: the one that runs `CHECKS`. */
  readonly thread?: URL;
}

/** A check that waits for its result. */
export interface QueuedCheck {
  readonly check: Check;
  readonly resolve: (result: never) => void;
  /** The check could not run to its end. */
  readonly fail: (cause: unknown) => void;
  /** Too many checks wait. */
  readonly refuse: () => void;
}

/**
 * Runs one check at a time in a thread of its own. The thread starts with the first check, ends when there have been
 * none for a while, and is replaced if a check kills it. It never keeps the process alive.
 */
export class CheckLane {
  readonly #options: CheckLaneOptions;
  readonly #onFree: () => void;
  #worker: Worker | undefined;
  #job: QueuedCheck | undefined;
  #cancelEnd: (() => void) | undefined;

  /** @param onFree is called each time when a check has ended */
  constructor(options: CheckLaneOptions, onFree: () => void) {
    this.#options = options;
    this.#onFree = onFree;
  }

  get isFree(): boolean {
    return this.#job === undefined;
  }

  /** Begins a check. Only a free lane may be asked. */
  run(job: QueuedCheck): void {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    this.#job = job;
    try {
      this.#worker ??= this.#start();
      this.#worker.postMessage(job.check, []);
    } catch (cause) {
      this.#job = undefined;
      job.fail(cause);
    }
  }

  /** Ends the thread; a check in it fails. */
  async close(): Promise<void> {
    const closing = this.#end();
    const job = this.#job;
    this.#job = undefined;
    job?.fail(new Error('the program ends'));
    await closing;
  }

  #start(): Worker {
    // Without a limit of its memory: Node ends the whole process where a thread cannot read a message for want of it.
    // Checks are of bounded size.
    const worker = new Worker(this.#options.thread ?? THREAD);
    worker.on('message', (answered: CheckAnswer) => this.#answered(worker, answered));
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker));
    // Last, since a listener makes the thread keep the process alive again.
    worker.unref();
    return worker;
  }

  #answered(worker: Worker, answered: CheckAnswer): void {
    if (worker !== this.#worker) return;
    this.#cancelEnd = this.#options.clock.after(IDLE_MS, () => void this.#end());
    const job = this.#job;
    this.#job = undefined;
    if ('result' in answered) job?.resolve(answered.result as never);
    else job?.fail(new Error(answered.error));
    this.#onFree();
  }

  #lost(worker: Worker, cause?: unknown): void {
    if (worker !== this.#worker) return;
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    this.#worker = undefined;
    const job = this.#job;
    this.#job = undefined;
    job?.fail(cause);
    this.#onFree();
  }

  async #end(): Promise<void> {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
