import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ContentSurvey } from '../index/content-survey.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import type { Upkeep } from './upkeep.ts';

export interface VerifyScheduleOptions {
  readonly upkeep: Pick<Upkeep, 'verify'>;
  readonly index: Pick<ContentSurvey, 'note' | 'putNote'>;
  readonly clock: Clock;
  readonly events: Events;
  /** Milliseconds from the end of one run to the beginning of the next. */
  readonly everyMs: number;
  readonly bytesPerSecond: number;
}

/**
 * Interval between looks at whether a run is due. One long timer would not do: Node's timers end at 24 days, and a
 * failed run should be tried again this soon.
 */
const LOOK_EVERY_MS = 3_600_000;

const NOTE = 'verify';

/** How far background runs have got. Survives restarts: a store too large to verify in one uptime is verified, too. */
export interface VerifyNote {
  /** When the last whole run ended; milliseconds since the epoch. */
  readonly finishedAt?: number | undefined;
  /** The last digest that the present run has verified. */
  readonly after?: Digest | undefined;
}

/**
 * Whether a run is due: a run was broken off, the last one is old enough, or it lies in the future because the clock
 * was set back.
 */
export function isDue({ finishedAt, after }: VerifyNote, everyMs: number, now: number): boolean {
  if (after !== undefined || finishedAt === undefined) return true;
  return now - finishedAt >= everyMs || finishedAt > now;
}

/** Reads a note; any field that the text does not give is undefined. */
export function parseNote(text: string | undefined): VerifyNote {
  const { finishedAt, after } = parseObject(text);
  return {
    finishedAt: typeof finishedAt === 'number' ? finishedAt : undefined,
    after: typeof after === 'string' && isDigest(after) ? after : undefined,
  };
}

function parseObject(text: string | undefined): Record<string, unknown> {
  try {
    const value = JSON.parse(text ?? '{}') as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Verifies the whole store again and again, in the background and slowly. */
export class VerifySchedule {
  readonly #options: VerifyScheduleOptions;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: VerifyScheduleOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#look().finally(() => {
      if (this.#ending.signal.aborted) return;
      this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => this.start());
    });
  }

  /** Breaks a run off; the next start continues it. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.#cancel?.();
    await this.#running;
  }

  async #look(): Promise<void> {
    const { index, clock, events, everyMs } = this.#options;
    try {
      const note = parseNote(await index.note(NOTE));
      if (isDue(note, everyMs, clock.now())) await this.#run(note);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      events.emit({ kind: 'maintenance-failed', task: 'verify', error });
    }
  }

  async #run({ finishedAt, after }: VerifyNote): Promise<void> {
    const { upkeep, index, clock, bytesPerSecond } = this.#options;
    const put = (note: VerifyNote): Promise<void> => index.putNote(NOTE, JSON.stringify(note));
    const { signal } = this.#ending;
    await upkeep.verify({
      repair: false,
      bytesPerSecond,
      signal,
      after,
      onPosition: (digest) => put({ finishedAt, after: digest }),
    });
    await put({ finishedAt: clock.now() });
  }
}
