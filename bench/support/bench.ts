import type { Directory } from './directory.ts';

/** Measured values: by metric, by contestant, one per round. Rounds with the same number ran side by side. */
export type Samples = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

export interface Metric {
  /** The unit as shown: `requests/s`, `CPU s/GB`. */
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** Set if commits are not compared by this metric: it says how a run went, not how fast the program is. */
  readonly isInformation?: true;
}

/** A bound on Larder's median, or on its ratio to another contestant's. Exactly one of the bounds is set. */
export interface Goal {
  readonly metric: string;
  /** The contestant that Larder is compared with; absent: the value itself is bounded. */
  readonly against?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A version of the program, and its name in the results. */
export interface Side {
  readonly name: string;
  /** The folder of its sources. */
  readonly root: string;
  /** Node's arguments before those of the program: options, and the program that was built. */
  readonly nodeArgs: readonly string[];
}

/** How much is measured: everything, enough for daily use, or only whether the bench runs. */
export type Scale = 'full' | 'quick' | 'smoke';

export interface BenchContext {
  readonly scale: Scale;
  /** `larder`, and the version that it is compared with, if any. */
  readonly sides: readonly Side[];
  /** Whether Larder is compared with other programs, too; false if only with versions of itself. */
  readonly hasPeers: boolean;
  /** A directory that is removed when the bench is done. */
  readonly directory: Directory;
  /** Prints progress. */
  readonly note: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  /** What the bench measures, in the words of the results. */
  readonly title: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly goals: readonly Goal[];
  /** Set if another bench runs the same code, so that a smoke run need not run this one as well. */
  readonly isLeftOutOfSmoke?: boolean;
  run(context: BenchContext): Promise<Samples>;
}

/** Returns the value for this scale. */
export function byScale<T>(scale: Scale, values: Readonly<Record<Scale, T>>): T {
  return values[scale];
}
