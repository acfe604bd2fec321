/** The model of a question for a manifest by its digest: which answers a client may get. */
import type { AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByGet, saidByHead } from './said.ts';
import { saidAtDoor, unanswered, type Method, type Way } from './way.ts';

export const DIGEST_STATES = ['nothing', 'cached', 'refused'] as const;
export type DigestState = (typeof DIGEST_STATES)[number];

const RIGHT: Way = { got: 'asked', next: ['asked'] };

export function waysOfDigest(state: DigestState, method: Method, table: AnswerTable): readonly Way[] {
  if (state === 'cached') return [RIGHT];
  if (state === 'refused') return [{ got: '404, remembered', next: ['404, remembered'] }];
  const door = saidAtDoor(table);
  if (door !== undefined) return [unanswered(door, 'asked')];
  const head = saidByHead(table['HEAD digest'] ?? 'right');
  // A HEAD that names another digest than the one asked for is no answer.
  const isTold = head.is === 'given' && head.version === 'asked';
  if (method === 'HEAD' && isTold) return [RIGHT];
  if (method === 'HEAD' && head.is !== 'open' && head.is !== 'given') return [unanswered(head, 'asked')];
  const said = saidByGet(table['GET digest'] ?? 'right', 'digest');
  return [said.is === 'given' ? RIGHT : unanswered(said, 'asked')];
}
