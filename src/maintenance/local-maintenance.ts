import type { Events } from '../events.ts';
import type { Page, PinEntry } from '../index/content-index.ts';
import { IndexError } from '../index/error.ts';
import { StoreError } from '../store/error.ts';
import type { Content } from './content.ts';
import { MaintenanceError } from './error.ts';
import { forgetSteps } from './forget.ts';
import { countContent, listRepositories, listTags } from './inventory.ts';
import type { ContentStats, RepositoryRow, TagRow } from './inventory.ts';
import type { Maintenance, VerifyRequest } from './maintenance.ts';
import { Pacer } from '../async/pace.ts';
import { pinContent, unpinContent } from './pins.ts';
import { reconcileSteps, ROWS_PER_SECOND } from './reconcile.ts';
import { removeContent, type Removed } from './remove.ts';
import type { FindTarget } from './repair.ts';
import { parseSelectors, type NamingOptions, type Selector } from './selector.ts';
import { runSteps, totalsOf, type Step } from './steps.ts';
import { verifyContent, type VerifyOptions, type VerifyProgress, type VerifyReport } from './verify.ts';

export interface LocalMaintenanceOptions extends Content {
  readonly events: Events;
  readonly naming: NamingOptions;
  readonly findTarget: FindTarget;
  /** The cap of the cache, for the stats. */
  readonly maxBytes: number | undefined;
}

/** Maintenance by the process that owns the cache directory. */
export class LocalMaintenance implements Maintenance {
  readonly #options: LocalMaintenanceOptions;

  constructor(options: LocalMaintenanceOptions) {
    this.#options = options;
  }

  stats(): Promise<ContentStats> {
    const { index, store, maxBytes } = this.#options;
    return explained(() => countContent(index, store, maxBytes));
  }

  repositories(page: Page<string>): Promise<readonly RepositoryRow[]> {
    return explained(() => listRepositories(this.#options.index, page));
  }

  tags(repository: string, page: Page<string>): Promise<readonly TagRow[]> {
    return explained(() => listTags(this.#options.index, this.#parse(repository), page));
  }

  pins(page: Page<string>): Promise<readonly PinEntry[]> {
    return explained(() => this.#options.index.pins(page));
  }

  remove(reference: string): Promise<Removed> {
    return explained(() => removeContent(this.#options, this.#parse(reference)));
  }

  pin(reference: string): Promise<readonly string[]> {
    return explained(() => pinContent(this.#options, this.#parse(reference)));
  }

  unpin(reference: string): Promise<readonly string[]> {
    return explained(() => unpinContent(this.#options.index, this.#parse(reference)));
  }

  verify(
    request: VerifyRequest,
    onProgress: (progress: VerifyProgress) => void,
    signal: AbortSignal,
  ): Promise<VerifyReport> {
    return explained(() => this.runVerify({ ...request, onProgress, signal }));
  }

  /** As `verify`, for whoever goes on where an earlier run got to. */
  async runVerify(options: VerifyOptions): Promise<VerifyReport> {
    const { clock, findTarget, events } = this.#options;
    const startedAt = clock.monotonic();
    const report = await verifyContent(this.#options, findTarget, options);
    const durationMs = clock.monotonic() - startedAt;
    events.emit({ kind: 'maintenance-ended', task: 'verify', durationMs, stats: report.totals });
    return report;
  }

  /**
   * Makes the index and the disk agree, slowly enough for others not to notice. Never rejects: what goes wrong is
   * told as an event.
   */
  reconcile(signal: AbortSignal): Promise<void> {
    return this.#runPaced('reconcile', (pacer) => reconcileSteps(this.#options, pacer), signal);
  }

  /** Forgets what has outlived its bytes for long. As slowly as `reconcile`, and never rejects either. */
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

  #parse(reference: string): readonly Selector[] {
    return parseSelectors(reference, this.#options.naming);
  }
}

/** What the store and the index say of their own failures is what an operator needs to know. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreError || error instanceof IndexError)) throw error;
    throw new MaintenanceError('failed', error.message, { cause: error });
  }
}
