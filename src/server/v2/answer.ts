import type { Outcome } from '../../repository/outcome.ts';
import type { PreparedReply } from '../prepared-reply.ts';
import type { Reply } from '../reply.ts';

/** A reply with its outcome: how it came about. */
export type Answer<R extends Reply = Reply> = R & { readonly outcome?: Outcome };

/** A prepared reply with its outcome. */
export interface PreparedAnswer {
  readonly prepared: PreparedReply;
  readonly outcome: Outcome;
}
