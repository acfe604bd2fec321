/**
 * What may become of a question for a tag (README, "What it promises" and "How it answers"; ADR 2: HEAD first, by digest
 * next, by tag last; ADR 20: whose word a refusal is). Afterwards the registry's tag stands for `newest`.
 */
import type { AnswerName, AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByGet, saidByHead, type Said, type Version } from './said.ts';
import { errorOf, saidAtDoor, unanswered, type Got, type Method, type Way } from './way.ts';

/** `told`: by HEAD alone, so that the manifest is not here. `refused`: the registry's no is remembered. */
export const TAG_STATES = ['nothing', 'told', 'told, stale', 'cached', 'cached, stale', 'refused'] as const;
export type TagState = (typeof TAG_STATES)[number];

interface Case {
  readonly state: TagState;
  readonly method: Method;
  readonly table: AnswerTable;
}

export function waysOfTag(asked: Case): readonly Way[] {
  const { state, method, table } = asked;
  if (state === 'refused') return [{ got: '404, remembered', next: ['404, remembered'] }];
  if (state === 'cached') return [known('asked', asked)];
  // Nothing but the manifest is asked for, by the token that the tag was told with.
  if (state === 'told') {
    return method === 'HEAD' ? [known('asked', asked)] : pulled('asked', asked);
  }
  const head = atDoor(asked) ?? saidByHead(table['HEAD tag'] ?? 'right');
  if (head.is === 'given') return moved(head.version, asked);
  if (head.is !== 'open') return kept(head, asked);
  const said = byTag(asked);
  if (said.is === 'given') return [known(said.version, asked)];
  return said.is === 'no' ? [unanswered(said, 'newest')] : kept(said, asked);
}

/** The tag is fresh for its time to live, by upstream's word. */
function known(version: Version, { method, table }: Case, got: Got = version): Way {
  const isRefused =
    version === 'nowhere' || isAboutDigest(saidByGet(table['GET digest'] ?? 'right', 'digest'));
  const held = got === '429' ? ['429'] : [];
  const told = version === 'nowhere' && method === 'GET' ? [] : [version];
  // Where upstream has refused the digest itself, the tag is asked for again.
  return { got, next: [...told, ...held, ...(isRefused ? ['newest'] : [])] };
}

/** By HEAD the tag stands for the version. The old manifest is served until the new one is here. */
function moved(version: Version, asked: Case): readonly Way[] {
  const { state, method } = asked;
  if (state !== 'cached, stale') return method === 'HEAD' ? [known(version, asked)] : pulled(version, asked);
  return version === 'asked' ? [known('asked', asked)] : pulled(version, asked);
}

/** By the digest; where that is refused, by the tag. */
function pulled(version: Version, asked: Case, suffix = ''): readonly Way[] {
  return byDigest(version, asked).flatMap((said): readonly Way[] => {
    if (said.is === 'given') return [suffix === '' ? known(version, asked) : old(asked)];
    const last = isAboutDigest(said) ? byTag(asked) : said;
    if (last.is === 'given') return [known(last.version, asked), ...(suffix === '' ? [] : [old(asked)])];
    if (asked.state === 'cached, stale') return [old(asked)];
    return [suffix === '' ? known(version, asked, errorOf(last)) : { ...old(asked), got: errorOf(last) }];
  });
}

/** Upstream has not told what the tag stands for, and has not refused it in its own words. */
function kept(said: Said, asked: Case): readonly Way[] {
  if (asked.state === 'cached, stale') return [old(asked, said)];
  if (asked.state === 'told, stale' && asked.method === 'GET') return pulled('asked', asked, ', stale');
  if (asked.state === 'told, stale') return [old(asked, said), ...pulled('asked', asked, ', stale')];
  return [unanswered(said, 'newest')];
}

/** What is cached is served with a warning, and the next question is a fresh one, but for a limit. */
function old({ table }: Case, said?: Said): Way {
  const isHeld = said?.is === 'later' || Object.values(table).includes('429');
  return { got: 'asked, stale', next: isHeld ? ['newest', 'asked, stale', '429'] : ['newest'] };
}

function byTag(asked: Case): Said {
  const { 'GET digest': before = 'right', 'GET tag': answer = 'right' } = asked.table;
  return atDoor(asked, before, answer) ?? saidByGet(answer, 'tag');
}

/** What may be said of a token as well, so that another one is asked for. */
const RENEWS: ReadonlySet<AnswerName> = new Set<AnswerName>([
  'its own 401',
  'its own 403',
  '403 of a block page',
]);

/** Where the tag has just been told, the token is still good, unless one of the answers may be about it. */
function atDoor({ state, table }: Case, ...answers: readonly AnswerName[]): Said | undefined {
  const isGood = state === 'told' && !answers.some((answer) => RENEWS.has(answer));
  return isGood ? undefined : saidAtDoor(table);
}

/** A refusal of the digest, in whatever words, says nothing of the tag. */
function isAboutDigest({ is }: Said): boolean {
  return is === 'no' || is === 'absent' || is === 'refused';
}

/** Of a digest that is nowhere the registry has only a refusal to send, which may be cut or changed on the way. */
function byDigest(version: Version, asked: Case): readonly Said[] {
  const { 'GET digest': answer = 'right' } = asked.table;
  const door = atDoor(asked, answer);
  if (door !== undefined) return [door];
  const said = saidByGet(answer, 'digest');
  if (version !== 'nowhere') return [said];
  const broken: ReadonlySet<AnswerName> = new Set<AnswerName>(['cut', 'another size']);
  if (broken.has(answer)) return [{ is: 'absent' }, { is: 'failed' }];
  return said.is === 'given' || answer === 'another digest in the header' ? [{ is: 'no' }] : [said];
}
