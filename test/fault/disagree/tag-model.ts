/**
 * The model of a question for a tag: which answers a client may get (README, "What it promises" and "How it answers";
 * ADR 2: HEAD first, by digest next, by tag last; ADR 20: whose word a refusal is). Before the next question, the
 * registry's tag moves to `newest`.
 */
import type { AnswerName, AnswerTable } from '../../support/disagreeing-registry.ts';
import { saidByGet, saidByHead, type Said, type Version } from './said.ts';
import { errorOf, saidAtDoor, unanswered, type Got, type Method, type Way } from './way.ts';

/** `told`: only a HEAD has told the tag, so the manifest is not here. `refused`: Larder remembers the registry's no. */
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
  // Larder asks only for the manifest, with the token by which it asked for the tag.
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

/** Returns the way of a tag that upstream has just told: it is fresh for its time to live. */
function known(version: Version, { method, table }: Case, got: Got = version): Way {
  const isRefused =
    version === 'nowhere' || isAboutDigest(saidByGet(table['GET digest'] ?? 'right', 'digest'));
  const held = got === '429' ? ['429'] : [];
  const told = version === 'nowhere' && method === 'GET' ? [] : [version];
  // If upstream has refused the digest itself, Larder asks for the tag again.
  return { got, next: [...told, ...held, ...(isRefused ? ['newest'] : [])] };
}

/** HEAD has told that the tag stands for the version. Larder serves the old manifest until the new one is here. */
function moved(version: Version, asked: Case): readonly Way[] {
  const { state, method } = asked;
  if (state !== 'cached, stale') return method === 'HEAD' ? [known(version, asked)] : pulled(version, asked);
  return version === 'asked' ? [known('asked', asked)] : pulled(version, asked);
}

/** Larder asks for the manifest by digest and, if upstream refuses the digest, by tag. */
function pulled(version: Version, asked: Case, suffix = ''): readonly Way[] {
  return byDigest(version, asked).flatMap((said): readonly Way[] => {
    if (said.is === 'given') return [suffix === '' ? known(version, asked) : old(asked)];
    const last = isAboutDigest(said) ? byTag(asked) : said;
    if (last.is === 'given') return [known(last.version, asked), ...(suffix === '' ? [] : [old(asked)])];
    if (asked.state === 'cached, stale') return [old(asked)];
    return [suffix === '' ? known(version, asked, errorOf(last)) : { ...old(asked), got: errorOf(last) }];
  });
}

/** Upstream has neither told what the tag stands for nor refused the tag in its own words. */
function kept(said: Said, asked: Case): readonly Way[] {
  if (asked.state === 'cached, stale') return [old(asked, said)];
  if (asked.state === 'told, stale' && asked.method === 'GET') return pulled('asked', asked, ', stale');
  if (asked.state === 'told, stale') return [old(asked, said), ...pulled('asked', asked, ', stale')];
  return [unanswered(said, 'newest')];
}

/** Larder serves the cached manifest with a warning, and asks upstream again next time, unless a limit forbids it. */
function old({ table }: Case, said?: Said): Way {
  const isHeld = said?.is === 'later' || Object.values(table).includes('429');
  return { got: 'asked, stale', next: isHeld ? ['newest', 'asked, stale', '429'] : ['newest'] };
}

function byTag(asked: Case): Said {
  const { 'GET digest': before = 'right', 'GET tag': answer = 'right' } = asked.table;
  return atDoor(asked, before, answer) ?? saidByGet(answer, 'tag');
}

/** Answers that may be about the token and not about the content, so that Larder asks for another token. */
const RENEWS: ReadonlySet<AnswerName> = new Set<AnswerName>([
  'its own 401',
  'its own 403',
  '403 of a block page',
]);

/** If Larder has just been told the tag, its token is still good, unless one of the answers may be about the token. */
function atDoor({ state, table }: Case, ...answers: readonly AnswerName[]): Said | undefined {
  const isGood = state === 'told' && !answers.some((answer) => RENEWS.has(answer));
  return isGood ? undefined : saidAtDoor(table);
}

/** Whether the answer refuses the digest. Such a refusal, in whatever form, says nothing about the tag. */
function isAboutDigest({ is }: Said): boolean {
  return is === 'no' || is === 'absent' || is === 'refused';
}

/** For a digest that no manifest has, the registry only sends a refusal, which may be cut or changed on the way. */
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
