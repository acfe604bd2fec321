import { AccessError } from '../access-error.ts';
import { CheckLane, type CheckLaneOptions, type QueuedCheck } from './check-lane.ts';
import type { Check, CheckName } from './checks.ts';
import { FairQueue, type FairQueueLimits } from './fair-queue.ts';
import type { CheckedJwt, ExpectedJwt, SlowChecks } from './slow-checks.ts';

export interface ThreadChecksOptions extends CheckLaneOptions {
  /** How many checks run at the same time; absent: 2. */
  readonly threads?: number;
  /** How many checks of each kind wait; absent: 16 for each client, 256 in all. */
  readonly limits?: FairQueueLimits;
}

/** Bcrypt needs a whole processor: more threads would take it from the clients that are served. */
const THREADS = 2;
/** At four passwords a second and thread, a client's last check waits two seconds. */
const LIMITS: FairQueueLimits = { perClient: 16, total: 256 };
/** By then, checks that wait have ended. */
const RETRY_AFTER_MS = 1000;

/**
 * Runs the checks in other threads, two at a time. Passwords and tokens wait apart, and each kind comes first at one of
 * the threads: a password takes a hundred times as long as a token, and behind a flood of them no client could pull.
 */
export class ThreadChecks implements SlowChecks, AsyncDisposable {
  readonly #lanes: readonly CheckLane[];
  readonly #queues: Readonly<Record<CheckName, FairQueue<QueuedCheck>>>;
  #isClosed = false;

  constructor({ threads = THREADS, limits = LIMITS, ...lane }: ThreadChecksOptions) {
    this.#lanes = Array.from({ length: threads }, () => new CheckLane(lane, () => this.#dispatch()));
    this.#queues = { checkJwt: new FairQueue(limits), comparePassword: new FairQueue(limits) };
  }

  /** Number of checks that wait for a thread. */
  get waiting(): number {
    return Object.values(this.#queues).reduce((sum, { size }) => sum + size, 0);
  }

  /** Number of checks that run. */
  get running(): number {
    return this.#lanes.filter(({ isFree }) => !isFree).length;
  }

  comparePassword(password: string, hash: string, client: string): Promise<boolean> {
    return this.#run({ name: 'comparePassword', args: [password, hash] }, client);
  }

  checkJwt(token: string, expected: ExpectedJwt, client: string): Promise<CheckedJwt> {
    return this.#run({ name: 'checkJwt', args: [token, expected] }, client);
  }

  /** Ends the threads; checks in them and waiting for them fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of Object.values(this.#queues).flatMap((queue) => queue.clear()))
      job.fail(new Error('the program ends'));
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(check: Check, client: string): Promise<never> {
    const { promise, resolve, reject } = Promise.withResolvers<never>();
    const fail = (cause: unknown): void =>
      reject(new AccessError('unavailable', 'the credentials cannot be checked', { cause }));
    this.#enqueue(client, { check, resolve, fail, refuse: () => reject(tooMany()) });
    return promise;
  }

  #enqueue(client: string, job: QueuedCheck): void {
    if (this.#isClosed) return job.fail(new Error('the program ends'));
    const pushed = this.#queues[job.check.name].push(client, job);
    if (pushed === 'full') return job.refuse();
    pushed.displaced?.refuse();
    this.#dispatch();
  }

  /** Gives the free threads what waits. A lane whose thread cannot start fails its check, and is free for the next. */
  #dispatch(): void {
    for (const [position, lane] of this.#lanes.entries()) {
      while (lane.isFree) {
        const job = this.#next(position);
        if (job === undefined) return;
        lane.run(job);
      }
    }
  }

  #next(position: number): QueuedCheck | undefined {
    const { checkJwt: tokens, comparePassword: passwords } = this.#queues;
    const [first, second] = position % 2 === 0 ? [tokens, passwords] : [passwords, tokens];
    return first.next() ?? second.next();
  }
}

function tooMany(): AccessError {
  return new AccessError('throttled', 'too many logins wait to be checked', { retryAfterMs: RETRY_AFTER_MS });
}
