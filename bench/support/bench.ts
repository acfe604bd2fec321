import type { Directory } from './directory.ts';

/** What was measured: by metric, by contestant, a value a round. Rounds with the same number ran side by side. */
export type Samples = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

export interface Metric {
  /** How it is shown: `requests/s`, `CPU s/GB`. */
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** Set where two commits are not compared by it: it says how a run went, not how fast the program is. */
  readonly isInformation?: true;
}

/** A bound on Larder's median, or on its ratio to another contestant's. Exactly one of the bounds is set. */
export interface Goal {
  readonly metric: string;
  /** The contestant it is compared with; without it the value itself is bounded. */
  readonly against?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A version of the program, and what it is called in the results. */
export interface Side {
  readonly name: string;
  /** Where its sources are. */
  readonly root: string;
  /** What Node is given before the arguments of the program: the program built from them, for one. */
  readonly nodeArgs: readonly string[];
}

/** How much is measured: in full, for daily use, or only whether it runs. */
export type Scale = 'full' | 'quick' | 'smoke';

export interface BenchContext {
  readonly scale: Scale;
  /** `larder`, and the version that it is compared with, where there is one. */
  readonly sides: readonly Side[];
  /** False where only versions of Larder are compared. */
  readonly hasPeers: boolean;
  /** Removed when the bench is done. */
  readonly directory: Directory;
  /** Says what is going on. */
  readonly note: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  /** What it measures, as a reader of the results knows it. */
  readonly title: string;
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly goals: readonly Goal[];
  run(context: BenchContext): Promise<Samples>;
}

/** The value for this scale. */
export function byScale<T>(scale: Scale, values: Readonly<Record<Scale, T>>): T {
  return values[scale];
}
