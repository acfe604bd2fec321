import type { Outcome } from '../cache/outcome.ts';
import type { Reply } from './reply.ts';

/** A reply, and how it came about. */
export interface Answer extends Reply {
  readonly outcome?: Outcome;
}
