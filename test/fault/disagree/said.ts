/**
 * What each answer says, by the rules that README and the decisions give: of a HEAD only what is told counts, never a
 * refusal (ADR 20); of a GET, its bytes and the registry's own document.
 */
import type { AnswerName } from '../../support/disagreeing-registry.ts';

/** The manifest that was asked for, another one that is there, or a digest of which there is none. */
export type Version = 'asked' | 'other' | 'nowhere';

/**
 * - `no`: the registry's own word. `absent`: a no that may be another's than the registry's.
 * - `open`: a HEAD that says nothing, so that GET is to answer.
 * - `later`: a limit, for as long as it says.
 * - `failed`: nothing was said; `refused` the same by a status that is about what was asked for.
 */
export type Said =
  | { readonly is: 'given'; readonly version: Version }
  | { readonly is: 'no' | 'absent' | 'open' | 'later' | 'failed' | 'refused' };

const ASKED: Said = { is: 'given', version: 'asked' };
const NO: Said = { is: 'no' };
const ABSENT: Said = { is: 'absent' };
const FAILED: Said = { is: 'failed' };
const REFUSED: Said = { is: 'refused' };

/** By a GET of a manifest by its tag. */
const BY_GET: Readonly<Record<AnswerName, Said>> = {
  right: ASKED,
  'its own 404': NO,
  'its own 404 of the name': NO,
  'its own 403': NO,
  'its own 401': NO,
  '404 of an ingress': ABSENT,
  '404 of a gateway': ABSENT,
  '403 of a block page': REFUSED,
  '200 with a page': FAILED,
  '200 with an error document': FAILED,
  '429': { is: 'later' },
  '500': FAILED,
  '502': FAILED,
  '503': FAILED,
  'another digest in the header': FAILED,
  'another size': FAILED,
  'another content': { is: 'given', version: 'other' },
  'no digest in the header': ASKED,
  cut: FAILED,
  'a redirect to 404': REFUSED,
  'a redirect to 403': REFUSED,
  reset: FAILED,
};

/** HEADs that are answered otherwise than a GET would be; all other refusals and failures leave the question open. */
const BY_HEAD: Readonly<Partial<Record<AnswerName, Said>>> = {
  right: ASKED,
  '429': { is: 'later' },
  '503': FAILED,
  'another digest in the header': { is: 'given', version: 'nowhere' },
  'another size': ASKED,
  'another content': { is: 'given', version: 'other' },
  cut: ASKED,
  reset: FAILED,
};

/** What a token endpoint keeps from being asked at all: its document is no word on what is cached. */
const BY_TOKEN: Readonly<Partial<Record<AnswerName, Said>>> = {
  'its own 404': ABSENT,
  'its own 404 of the name': ABSENT,
  'its own 403': ABSENT,
  'its own 401': ABSENT,
  '429': { is: 'later' },
};

const WITH_TOKEN: ReadonlySet<AnswerName> = new Set<AnswerName>([
  'right',
  'another digest in the header',
  'no digest in the header',
]);

/** By a GET of a manifest: by tag, or by a digest, which no other manifest has. */
export function saidByGet(answer: AnswerName, by: 'tag' | 'digest'): Said {
  return by === 'digest' && answer === 'another content' ? FAILED : BY_GET[answer];
}

export function saidByHead(answer: AnswerName): Said {
  return BY_HEAD[answer] ?? { is: 'open' };
}

/** @returns undefined where the token endpoint gives a token */
export function saidByToken(answer: AnswerName): Said | undefined {
  return WITH_TOKEN.has(answer) ? undefined : (BY_TOKEN[answer] ?? FAILED);
}
