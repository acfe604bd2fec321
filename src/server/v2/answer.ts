import type { Outcome } from '../../repository/outcome.ts';
import type { Reply } from '../reply.ts';

/** A reply with its outcome: how it came about. */
export type Answer<R extends Reply = Reply> = R & { readonly outcome?: Outcome };
