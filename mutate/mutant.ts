/** A stretch of a source, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One small change of a source that a test should notice. */
export interface Mutant extends Span {
  /** What stands in the stretch instead. */
  readonly replacement: string;
  /** What was done, in a few words. */
  readonly change: string;
  /** Whether the stretch is a block of statements; else it is an expression. */
  readonly isBlock: boolean;
  /** Whether it is run when its module is loaded, rather than by a call. */
  readonly isStatic: boolean;
}

/** A mutant and the source that it is of. */
export interface Candidate {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly mutant: Mutant;
}

export function mutated(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

/** The line of a position, from 1. */
export function lineOf(source: string, position: number): number {
  return source.slice(0, position).split('\n').length;
}
