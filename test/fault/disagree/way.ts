import type { AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByToken, type Said } from './said.ts';

/**
 * What a client got, in words:
 * - the content: `asked`, `other`, `newest`, `nowhere`, or `wrong` for any other; followed by `, stale` if a warning
 *   says that it could not be confirmed
 * - `404`, followed by `, remembered` if upstream was not asked
 * - `429`; `failed` for any 5xx; `cut` if the connection broke before the end
 */
export type Got = string;

/** One possible outcome of a question while the registry disagrees with itself. */
export interface Way {
  readonly got: Got;
  /** What the same question may get once the registry is right again and no time has passed. */
  readonly next: readonly Got[];
}

export const METHODS = ['GET', 'HEAD'] as const;
export type Method = (typeof METHODS)[number];

/** Returns the error that a client gets if nothing is cached. */
export function errorOf(said: Said): Got {
  if (said.is === 'later') return '429';
  return said.is === 'no' || said.is === 'absent' ? '404' : 'failed';
}

/**
 * Returns the way of a question that upstream did not answer, and for which nothing is cached. Larder remembers the
 * registry's own refusal, and for a moment that of something in its place. It keeps to a limit, and forgets a failure.
 * @param right what the registry itself would answer
 */
export function unanswered(said: Said, right: Got): Way {
  if (said.is === 'later') return { got: '429', next: [right, '429'] };
  return { got: errorOf(said), next: errorOf(said) === '404' ? ['404, remembered'] : [right] };
}

/** Returns what the token endpoint says if it gives no token, so that the question cannot be asked. */
export function saidAtDoor({ token = 'right' }: AnswerTable): Said | undefined {
  return saidByToken(token);
}
