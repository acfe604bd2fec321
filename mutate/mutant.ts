/** A stretch of a source, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One small change of a source that a test should notice. */
export interface Mutant extends Span {
  /** The text that replaces the stretch. */
  readonly replacement: string;
  /** The change in a few words. */
  readonly change: string;
  /** Whether the stretch is a block of statements; else it is an expression. */
  readonly isBlock: boolean;
  /** Whether it runs when its module is loaded, rather than by a call. */
  readonly isStatic: boolean;
}

/** A mutant and its source. */
export interface Candidate {
  /** The source's path, relative to the root of the repository. */
  readonly path: string;
  readonly mutant: Mutant;
}

export function mutated(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

/** Returns the line of a position, counted from 1. */
export function lineOf(source: string, position: number): number {
  return source.slice(0, position).split('\n').length;
}
