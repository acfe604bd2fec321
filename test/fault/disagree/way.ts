import type { AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByToken, type Said } from './said.ts';

/**
 * What a client got, in words: the content (`asked`, `other`, `newest`, `nowhere`; `wrong` for any other), with
 * `, stale` where a warning says that it could not be confirmed; `404`, with `, remembered` where upstream was not asked;
 * `429`; `failed` for any 5xx; `cut`.
 */
export type Got = string;

/** One way that a question may go while the registry disagrees with itself. */
export interface Way {
  readonly got: Got;
  /** What the same question may get once the registry is right again and no time has passed. */
  readonly next: readonly Got[];
}

export const METHODS = ['GET', 'HEAD'] as const;
export type Method = (typeof METHODS)[number];

/** How nothing is told where nothing is cached. */
export function errorOf(said: Said): Got {
  if (said.is === 'later') return '429';
  return said.is === 'no' || said.is === 'absent' ? '404' : 'failed';
}

/**
 * A question of which nothing is cached, and that got no answer. A refusal is remembered, be it the registry's or for a
 * moment that of something in its place; a limit is kept; a failure is not.
 * @param right what the registry itself would answer
 */
export function unanswered(said: Said, right: Got): Way {
  if (said.is === 'later') return { got: '429', next: [right, '429'] };
  return { got: errorOf(said), next: errorOf(said) === '404' ? ['404, remembered'] : [right] };
}

/** What keeps a question from being asked at all. */
export function saidAtDoor({ token = 'right' }: AnswerTable): Said | undefined {
  return saidByToken(token);
}
