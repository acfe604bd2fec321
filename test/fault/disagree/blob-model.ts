/**
 * The model of a question for a blob: which answers a client may get. In the state `claimed`, the bytes came through
 * another repository, and a manifest of this repository names them. `claimed, open` is the same state under a
 * configuration that treats all clients alike (ADR 11).
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

/** Answers of status 200 that are not the blob: Larder may have sent the headers on before it notices. */
const FALSE_WHOLE: ReadonlySet<AnswerName> = new Set<AnswerName>([
  '200 with a page',
  '200 with an error document',
  'another size',
  'another content',
]);

/** Answers to a GET whose bytes are right, whatever their headers say. */
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
  // Larder asks for the rest by Range. After five breaks in a row, it does not repeat the question for a moment.
  if (part === 'right') return [RIGHT];
  return [RIGHT, { got: 'cut', next: ['asked', 'failed', '429'] }];
}

/** Returns the ways of a HEAD for an unknown blob: only upstream tells the size, and Larder can verify nothing. */
function looked(table: AnswerTable): readonly Way[] {
  const told = saidOfSize(table);
  if (told === 'right') return [RIGHT];
  if (told === 'wrong') return anyOf('asked', 'wrong', 'failed');
  return [unanswered(told, 'asked')];
}

/** Returns the ways of a claimed blob, whose stored bytes the registry must confirm for this repository. */
function claimed(state: BlobState, method: Method, table: AnswerTable): readonly Way[] {
  const told = saidOfSize(table, true);
  if (told === 'right') return [RIGHT];
  // Then only the bytes can prove the claim.
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
 * Returns what upstream tells of the size: by HEAD or, if HEAD tells nothing, by Range for one byte. `wrong`: an answer
 * that Larder must not believe about stored bytes.
 * @param isHere whether there are stored bytes to compare the answer with
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
