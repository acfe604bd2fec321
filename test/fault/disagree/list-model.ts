/** What may become of a question for a list. `known`: it is in memory, and its time to live has passed. */
import type { AnswerName, AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByGet, type Said } from './said.ts';
import { errorOf, saidAtDoor, type Got, type Way } from './way.ts';

export const LIST_STATES = ['nothing', 'known'] as const;
export type ListState = (typeof LIST_STATES)[number];

export function waysOfTags(state: ListState, table: AnswerTable): readonly Way[] {
  const said = saidAtDoor(table) ?? saidByList(table.tags ?? 'right');
  return [wayOf(said, state)];
}

/** Where there is no API, the tag of the referrers tag schema is asked for; the registry itself has no such tag. */
export function waysOfReferrers(state: ListState, table: AnswerTable): readonly Way[] {
  const { referrers: api = 'right' } = table;
  const door = saidAtDoor(table);
  if (door !== undefined) return [wayOf(door, state)];
  if (!ASKED_BY_TAG.has(api)) return [wayOf(saidByList(api), state)];
  return ofNoTag(table['GET tag'] ?? 'right').map((said): Way => {
    const isAbsent = said.is === 'no' && !DENIED.has(table['GET tag'] ?? 'right');
    if (!isAbsent) return wayOf(said, state);
    // A list that is known came by the API: only the registry's own document says that it is not there any more.
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

/** Another content than a list, of whatever digest. */
function saidByList(answer: AnswerName): Said {
  if (answer === 'another digest in the header') return { is: 'given', version: 'asked' };
  return answer === 'another content' ? { is: 'failed' } : saidByGet(answer, 'tag');
}

/** The registry's refusal of a tag, which may be changed on the way; or what else is answered. */
function ofNoTag(answer: AnswerName): readonly Said[] {
  if (answer === 'cut' || answer === 'another size') return [{ is: 'absent' }, { is: 'failed' }];
  if (answer === 'another content') return [{ is: 'failed' }];
  const said = saidByGet(answer, 'tag');
  return said.is === 'given' || answer === 'another digest in the header' ? [{ is: 'no' }] : [said];
}

/** No refusal of a list is remembered. What is known is taken away by the registry's own word alone. */
function wayOf(said: Said, state: ListState): Way {
  if (said.is === 'given') return { got: 'asked', next: ['asked'] };
  const isKept = state === 'known' && said.is !== 'no';
  const held: readonly Got[] = said.is === 'later' ? [isKept ? 'asked, stale' : '429'] : [];
  return { got: isKept ? 'asked, stale' : errorOf(said), next: ['asked', ...held] };
}
