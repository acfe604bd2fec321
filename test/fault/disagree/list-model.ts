/**
 * The model of a question for a list: which answers a client may get. In the state `known`, the list is in memory, and
 * its time to live has passed.
 */
import type { AnswerName, AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByGet, type Said } from './said.ts';
import { errorOf, saidAtDoor, type Got, type Way } from './way.ts';

export const LIST_STATES = ['nothing', 'known'] as const;
export type ListState = (typeof LIST_STATES)[number];

export function waysOfTags(state: ListState, table: AnswerTable): readonly Way[] {
  const said = saidAtDoor(table) ?? saidByList(table.tags ?? 'right');
  return [wayOf(said, state)];
}

/** If there is no API, Larder asks for the tag of the referrers tag schema; this registry has no such tag. */
export function waysOfReferrers(state: ListState, table: AnswerTable): readonly Way[] {
  const { referrers: api = 'right' } = table;
  const door = saidAtDoor(table);
  if (door !== undefined) return [wayOf(door, state)];
  if (!ASKED_BY_TAG.has(api)) return [wayOf(saidByList(api), state)];
  return ofNoTag(table['GET tag'] ?? 'right').map((said): Way => {
    const isAbsent = said.is === 'no' && !DENIED.has(table['GET tag'] ?? 'right');
    if (!isAbsent) return wayOf(said, state);
    // A known list came by the API: only the registry's own document proves that the API is gone.
    const isOwn = api === 'its own 404' || api === 'its own 404 of the name';
    return isOwn || state === 'nothing' ? { got: 'empty', next: ['empty'] } : wayOf({ is: 'absent' }, state);
  });
}

const ASKED_BY_TAG: ReadonlySet<AnswerName> = new Set<AnswerName>([
  'its own 404',
  'its own 404 of the name',
  '404 of an ingress',
  '404 of a gateway',
  'a redirect to 404',
  '200 with a page',
]);

const DENIED: ReadonlySet<AnswerName> = new Set<AnswerName>(['its own 403', 'its own 401']);

/** Returns what an answer to a question for a list says. A list has no digest, so the digest header means nothing. */
function saidByList(answer: AnswerName): Said {
  if (answer === 'another digest in the header') return { is: 'given', version: 'asked' };
  return answer === 'another content' ? { is: 'failed' } : saidByGet(answer, 'tag');
}

/** Returns what may arrive for a missing tag: the registry's refusal, perhaps changed on the way, or another answer. */
function ofNoTag(answer: AnswerName): readonly Said[] {
  if (answer === 'cut' || answer === 'another size') return [{ is: 'absent' }, { is: 'failed' }];
  if (answer === 'another content') return [{ is: 'failed' }];
  const said = saidByGet(answer, 'tag');
  return said.is === 'given' || answer === 'another digest in the header' ? [{ is: 'no' }] : [said];
}

/** Larder remembers no refusal of a list. Only the registry's own word takes a known list away. */
function wayOf(said: Said, state: ListState): Way {
  if (said.is === 'given') return { got: 'asked', next: ['asked'] };
  const isKept = state === 'known' && said.is !== 'no';
  const held: readonly Got[] = said.is === 'later' ? [isKept ? 'asked, stale' : '429'] : [];
  return { got: isKept ? 'asked, stale' : errorOf(said), next: ['asked', ...held] };
}
