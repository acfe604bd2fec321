/**
 * What may become of a question for a blob. `claimed`: its bytes are here by another repository, and a manifest of this
 * one names it; `claimed, open` the same where nothing tells clients apart (ADR 11).
 */
import type { AnswerName, AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByGet, type Said } from './said.ts';
import { saidAtDoor, unanswered, type Got, type Method, type Way } from './way.ts';

export const BLOB_STATES = ['nothing', 'cached', 'refused', 'claimed', 'claimed, open'] as const;
export type BlobState = (typeof BLOB_STATES)[number];

const RIGHT: Way = { got: 'asked', next: ['asked'] };
const REMEMBERED: Way = { got: '404, remembered', next: ['404, remembered'] };

export function waysOfBlob(state: BlobState, method: Method, table: AnswerTable): readonly Way[] {
  if (state === 'cached') return [RIGHT];
  if (state === 'refused') return [REMEMBERED];
  if (state === 'nothing') return method === 'GET' ? fetched(table) : looked(table);
  return claimed(state, method, table);
}

/** Answers of status 200 that are not the blob: the headers may have gone out when that is seen. */
const FALSE_WHOLE: ReadonlySet<AnswerName> = new Set<AnswerName>([
  '200 with a page',
  '200 with an error document',
  'another size',
  'another content',
]);

/** Answers to a GET that have the right bytes, whatever their headers say of them. */
const RIGHT_BYTES: ReadonlySet<AnswerName> = new Set<AnswerName>([
  'right',
  'another digest in the header',
  'no digest in the header',
]);

function fetched(table: AnswerTable): readonly Way[] {
  const door = saidAtDoor(table);
  if (door !== undefined) return [unanswered(door, 'asked')];
  const { 'GET blob': answer = 'right', 'GET part': part = 'right' } = table;
  if (RIGHT_BYTES.has(answer)) return [RIGHT];
  if (FALSE_WHOLE.has(answer)) return anyOf('cut', 'failed');
  if (answer !== 'cut') return [unanswered(saidByGet(answer, 'digest'), 'asked')];
  // The rest is asked for by Range. What breaks five times in a row is left alone for a moment.
  if (part === 'right') return [RIGHT];
  return [RIGHT, { got: 'cut', next: ['asked', 'failed', '429'] }];
}

/** Nothing is known of the size but what upstream tells, and nothing can be verified. */
function looked(table: AnswerTable): readonly Way[] {
  const told = saidOfSize(table);
  if (told === 'right') return [RIGHT];
  if (told === 'wrong') return anyOf('asked', 'wrong', 'failed');
  return [unanswered(told, 'asked')];
}

/** Whether this repository's registry confirms what is here. */
function claimed(state: BlobState, method: Method, table: AnswerTable): readonly Way[] {
  const told = saidOfSize(table, true);
  if (told === 'right') return [RIGHT];
  // Only the bytes can tell, then.
  if (told === 'wrong') return method === 'GET' ? fetched(table) : [...fetched(table), ...looked(table)];
  if (told.is === 'no') return [REMEMBERED, { ...REMEMBERED, got: '404' }];
  const isOfToken = saidAtDoor(table)?.is === 'absent';
  if (isOfToken) return [{ got: '404', next: ['asked'] }];
  const next = told.is === 'later' ? ['asked', 'failed', 'asked, stale'] : ['asked'];
  return [{ got: state === 'claimed, open' ? 'asked, stale' : 'failed', next }];
}

const RIGHT_HEAD: ReadonlySet<AnswerName> = new Set<AnswerName>([
  'right',
  'no digest in the header',
  'another content',
  'cut',
]);
const RIGHT_PART: ReadonlySet<AnswerName> = new Set<AnswerName>([...RIGHT_HEAD, 'another size']);
const FALSE_PAGES: ReadonlySet<AnswerName> = new Set<AnswerName>([
  '200 with a page',
  '200 with an error document',
]);
const LATER_OR_GONE: ReadonlySet<AnswerName> = new Set<AnswerName>(['429', '503', 'reset']);

/**
 * What HEAD tells of the size, else one byte by Range. `wrong`: something that is not to be believed of bytes that are here.
 * @param isHere whether there is something to compare it with
 */
function saidOfSize(table: AnswerTable, isHere = false): Said | 'right' | 'wrong' {
  const door = saidAtDoor(table);
  if (door !== undefined) return door;
  const { 'HEAD blob': head = 'right', 'GET part': part = 'right' } = table;
  if (RIGHT_HEAD.has(head)) return 'right';
  if (head === 'another digest in the header') return isHere ? 'wrong' : 'right';
  if (LATER_OR_GONE.has(head)) return { is: head === '429' ? 'later' : 'failed' };
  const isTold = head === 'another size' || FALSE_PAGES.has(head);
  if (isTold && !isHere) return 'wrong';
  if (RIGHT_PART.has(part)) return 'right';
  if (part === 'another digest in the header') return isHere ? 'wrong' : 'right';
  return FALSE_PAGES.has(part) ? 'wrong' : saidByGet(part, 'digest');
}

function anyOf(...all: readonly Got[]): readonly Way[] {
  return all.map((got) => ({ got, next: ['asked'] }));
}
