import { Pacer } from '../async/pace.ts';
import type { Events } from '../events.ts';
import { forgetSteps } from './forget.ts';
import type { MaintainedContent } from './maintained-content.ts';
import { reconcileSteps, ROWS_PER_SECOND } from './reconcile.ts';
import type { FindRepository } from './repair.ts';
import { runSteps, totalsOf, type Step } from './steps.ts';
import { verifyContent, type VerifyOptions, type VerifyReport } from './verify.ts';

export interface UpkeepOptions extends MaintainedContent {
  readonly events: Events;
  readonly findRepository: FindRepository;
}

/** Keeps the content of a cache in order, in the process that owns its directory. */
export class Upkeep {
  readonly #options: UpkeepOptions;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** @throws StoreError, IndexError */
  async verify(options: VerifyOptions): Promise<VerifyReport> {
    const { clock, findRepository, events } = this.#options;
    const startedAt = clock.monotonic();
    const report = await verifyContent(this.#options, findRepository, options);
    const durationMs = clock.monotonic() - startedAt;
    events.emit({ kind: 'maintenance-ended', task: 'verify', durationMs, stats: report.totals });
    return report;
  }

  /**
   * Makes the index and the disk agree, slowly enough for clients not to notice. Never rejects: an event reports a
   * failure.
   */
  reconcile(signal: AbortSignal): Promise<void> {
    return this.#runPaced('reconcile', (pacer) => reconcileSteps(this.#options, pacer), signal);
  }

  /** Forgets rows that have long outlived their bytes. As slow as `reconcile`; never rejects either. */
  forget(signal: AbortSignal): Promise<void> {
    return this.#runPaced('forget', (pacer) => forgetSteps(this.#options, pacer), signal);
  }

  async #runPaced(
    task: 'reconcile' | 'forget',
    stepsOf: (pacer: Pacer) => Readonly<Record<string, Step>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, events } = this.#options;
    const startedAt = clock.monotonic();
    try {
      const steps = stepsOf(new Pacer(clock, ROWS_PER_SECOND, signal));
      const stats = totalsOf(await runSteps(steps, clock));
      const durationMs = clock.monotonic() - startedAt;
      events.emit({ kind: 'maintenance-ended', task, durationMs, stats });
    } catch (error) {
      if (!signal.aborted) events.emit({ kind: 'maintenance-failed', task, error });
    }
  }
}
