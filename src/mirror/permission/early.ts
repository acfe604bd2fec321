import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { BelongingIndex, WaitingClaim } from '../../index/belonging-index.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { NO_CLIENT } from '../audience.ts';
import { isVerdict } from '../refusal.ts';
import type { Target } from '../target.ts';
import type { Permission } from './permission.ts';

/** Five questions a second for each upstream: what clients ask goes beside them. */
const PACE_MS = 200;
/** How long an upstream is left alone that could not be asked. */
const AWAY_MS = 60_000;
/** Where so many repositories in a row could not be asked, that is the upstream's failure; fewer may be their own. */
const FAILURES = 3;

/** So many questions in a row, of however few repositories, are enough as well. */
const FAILURES_IN_ROW = 20;
/** So many that have failed are passed, one by one, whenever a newer one may have come. */
const MAX_FAILED = 100;

export interface EarlyConfirmationOptions {
  readonly index: BelongingIndex;
  readonly permission: Permission;
  /** Where a repository is asked; undefined where the config does not have it (any more). */
  readonly findTarget: (key: RepositoryKey) => Target | undefined;
  readonly clock: Clock;
  readonly events: Events;
}

/**
 * Has upstreams confirm in the background what manifests claim and is here already: so an image that shares its base
 * with another one is whole for its own repository before its upstream goes away, also where no client has asked for
 * the base through it. The newest manifest first; what waits is in the index, and so it outlasts a restart.
 */
export class EarlyConfirmation {
  readonly #lanes = new Map<string, Lane>();
  readonly #options: EarlyConfirmationOptions;
  /** A client's request may wake a lane, and what the lane then asks must not go out as asked by that. */
  readonly #outside: RunOutside = AsyncLocalStorage.snapshot();
  #isClosed = false;

  /** To be made outside of any request. */
  constructor(options: EarlyConfirmationOptions) {
    this.#options = options;
  }

  /** Something may wait of the upstream. */
  wake(upstream: string): void {
    if (this.#isClosed) return;
    const lane = this.#lanes.get(upstream) ?? new Lane(upstream, this.#options, this.#outside);
    this.#lanes.set(upstream, lane);
    lane.wake();
  }

  /** Gives up the questions that are being asked, and resolves when they have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }
}

/** Runs something in no request's asynchronous context. */
type RunOutside = (run: () => void) => void;

/** The claims of one upstream, one question after the other. */
class Lane {
  readonly #upstream: string;
  readonly #options: EarlyConfirmationOptions;
  /** All that wait above it could not be asked about: the next one is below; undefined: it is the newest. */
  #before: number | undefined;
  /** Could not be asked about: they are passed until all others were. */
  readonly #failed = new Set<string>();
  readonly #outside: RunOutside;
  /** The repositories that could not be asked since the last one that could. */
  readonly #failing = new Set<string>();
  #failedInRow = 0;
  /** Newer ones may have come since the last question was chosen. */
  #isWoken = false;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  /** An upstream that hangs must not hold up the end of the program. */
  readonly #ending = new AbortController();

  constructor(upstream: string, options: EarlyConfirmationOptions, outside: RunOutside) {
    this.#upstream = upstream;
    this.#options = options;
    this.#outside = outside;
  }

  wake(): void {
    this.#isWoken = true;
    if (this.#running === undefined && this.#cancel === undefined) this.#schedule(PACE_MS);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#cancel?.();
    await this.#running;
  }

  #schedule(ms: number): void {
    if (this.#ending.signal.aborted) return;
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#cancel = undefined;
      this.#outside(() => {
        this.#running = this.#goOn();
      });
    });
  }

  async #goOn(): Promise<void> {
    const next = await this.#step();
    this.#running = undefined;
    if (next !== undefined) this.#schedule(next);
    // It came while there seemed to be none.
    else if (this.#isWoken) this.#schedule(PACE_MS);
  }

  /** @returns after how many milliseconds the next one is due; undefined where none waits */
  async #step(): Promise<number | undefined> {
    try {
      const claim = await this.#choose();
      if (claim !== undefined) return await this.#settle(claim);
      if (this.#failed.size === 0) return undefined;
      this.#failed.clear();
      this.#before = undefined;
      return AWAY_MS;
    } catch (error) {
      this.#options.events.emit({ kind: 'store-failed', operation: 'confirm a claim', error });
      return AWAY_MS;
    }
  }

  /** The newest one that has not failed. Where too many have, what is new waits until all others were asked about. */
  async #choose(): Promise<WaitingClaim | undefined> {
    if (this.#isWoken && this.#failed.size < MAX_FAILED) this.#before = undefined;
    this.#isWoken = false;
    for (;;) {
      const claim = await this.#options.index.waitingClaim(this.#upstream, this.#before);
      if (claim === undefined || !this.#failed.has(nameOf(claim))) return claim;
      this.#before = claim.position;
    }
  }

  async #settle(claim: WaitingClaim): Promise<number> {
    const { index } = this.#options;
    try {
      // A claim that upstream's word cannot confirm, or that it has denied, has had its turn: a client that asks for it
      // is answered by its own question.
      if (!(await this.#confirm(claim))) await index.passOver(claim.key, claim.digest);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (!isVerdict(error)) return this.#postpone(claim, error);
      await index.passOver(claim.key, claim.digest);
    }
    this.#failing.clear();
    this.#failedInRow = 0;
    return PACE_MS;
  }

  async #confirm({ key, digest, size, isManifest }: WaitingClaim): Promise<boolean> {
    const target = this.#options.findTarget(key);
    if (target === undefined || size === undefined) return false;
    const kind = isManifest ? 'manifest' : 'blob';
    const options = { signal: this.#ending.signal, demand: NO_CLIENT };
    return this.#options.permission.confirm(target, { kind, digest, size }, options);
  }

  #postpone(claim: WaitingClaim, { failure, reason, retryAfterMs }: UpstreamError): number {
    const isOfUpstream = failure === 'throttled' || reason === 'offline' || reason === 'breaker-open';
    if (isOfUpstream) return Math.max(PACE_MS, retryAfterMs ?? AWAY_MS);
    if (this.#failed.size < MAX_FAILED) this.#failed.add(nameOf(claim));
    else this.#before = claim.position;
    this.#failing.add(claim.key.repository);
    this.#failedInRow += 1;
    if (this.#failing.size < FAILURES && this.#failedInRow < FAILURES_IN_ROW) return PACE_MS;
    this.#failing.clear();
    this.#failedInRow = 0;
    return AWAY_MS;
  }
}

/** Not its position: another one may get that once it is gone. */
function nameOf({ key, digest }: WaitingClaim): string {
  return `${key.repository} ${digest}`;
}
