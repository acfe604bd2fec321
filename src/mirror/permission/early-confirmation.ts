import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { BelongingIndex, WaitingClaim } from '../../index/belonging-index.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { NO_CLIENT } from '../fill-clients.ts';
import { isVerdict } from '../refusal.ts';
import type { Target } from '../target.ts';
import type { Permission } from './permission.ts';

/** Pause between two questions to an upstream: at most five a second, beside the clients' own requests. */
const PACE_MS = 200;
/** How long an upstream that could not be asked is left alone. */
const AWAY_MS = 60_000;
/** If this many repositories in a row could not be asked, their upstream has failed; fewer may fail on their own. */
const FAILED_REPOSITORIES_IN_ROW = 3;

/** If this many questions in a row have failed, the upstream has failed, however few repositories they were about. */
const FAILED_QUESTIONS_IN_ROW = 20;
/** Greatest number of failed claims that are passed over, one by one, whenever a newer claim may have come. */
const MAX_FAILED = 100;

export interface EarlyConfirmationOptions {
  readonly index: BelongingIndex;
  readonly permission: Permission;
  /** Returns where a repository is asked; undefined if the config does not have it (any more). */
  readonly findTarget: (key: RepositoryKey) => Target | undefined;
  readonly clock: Clock;
  readonly events: Events;
}

/**
 * Asks upstreams, in the background, to confirm content that manifests claim and that is cached already. So an image
 * that shares its base with another one is complete for its own repository before its upstream goes away, even if no
 * client has asked for the base through that repository. The newest manifest comes first. Waiting claims are in the
 * index, and so they outlast a restart.
 */
export class EarlyConfirmation {
  readonly #lanes = new Map<string, Lane>();
  readonly #options: EarlyConfirmationOptions;
  /** A client's request may wake a lane, but the lane's own questions must not count as asked by that request. */
  readonly #outside: RunOutside = AsyncLocalStorage.snapshot();
  #isClosed = false;

  /** Must be called outside any request. */
  constructor(options: EarlyConfirmationOptions) {
    this.#options = options;
  }

  /** Notes that claims of the upstream may wait. */
  wake(upstream: string): void {
    if (this.#isClosed) return;
    const lane = this.#lanes.get(upstream) ?? new Lane(upstream, this.#options, this.#outside);
    this.#lanes.set(upstream, lane);
    lane.wake();
  }

  /** Gives up the running questions, and resolves when they have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }
}

/** Runs a function outside any request's asynchronous context. */
type RunOutside = (run: () => void) => void;

/** Confirms the claims of one upstream, one question after the other. */
class Lane {
  readonly #upstream: string;
  readonly #options: EarlyConfirmationOptions;
  /** Position below which the next claim is looked for: all above it have failed. Undefined: the newest is next. */
  #before: number | undefined;
  /** Claims that could not be asked about: they are passed over until all others were asked about. */
  readonly #failed = new Set<string>();
  readonly #outside: RunOutside;
  /** Repositories that could not be asked, since the last question that was answered. */
  readonly #failing = new Set<string>();
  #failedInRow = 0;
  /** Whether newer claims may have come since the last one was chosen. */
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
    // A claim came while there seemed to be none.
    else if (this.#isWoken) this.#schedule(PACE_MS);
  }

  /** Asks about one claim. @returns milliseconds after which the next one is due; undefined if none waits */
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

  /** Chooses the newest claim that has not failed. If too many have, new ones wait until the rest were asked about. */
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
      // A claim that upstream's word cannot confirm, or that upstream has denied, has had its turn: a client's request
      // for it asks upstream itself.
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
    if (this.#failing.size < FAILED_REPOSITORIES_IN_ROW && this.#failedInRow < FAILED_QUESTIONS_IN_ROW)
      return PACE_MS;
    this.#failing.clear();
    this.#failedInRow = 0;
    return AWAY_MS;
  }
}

/** Names a claim. Its position is no name: once the claim is gone, another one may get the position. */
function nameOf({ key, digest }: WaitingClaim): string {
  return `${key.repository} ${digest}`;
}
