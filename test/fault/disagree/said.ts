/**
 * What each answer says, by the rules of README and of the decisions. A HEAD counts by what it tells, and never as a
 * refusal (ADR 20). A GET counts by its bytes and by the registry's own document.
 */
import type { AnswerName } from '../../support/disagreeing-registry.ts';

/** The manifest that was asked for, another existing manifest, or a digest that no manifest has. */
export type Version = 'asked' | 'other' | 'nowhere';

/**
 * - `no`: a refusal in the registry's own words. `absent`: a 404 that may come from something else.
 * - `open`: a HEAD that says nothing, so that a GET must follow.
 * - `later`: a limit, for as long as it says.
 * - `failed`: an answer that says nothing. `refused`: such an answer whose status is about the content asked for.
 */
export type Said =
  | { readonly is: 'given'; readonly version: Version }
  | { readonly is: 'no' | 'absent' | 'open' | 'later' | 'failed' | 'refused' };

const ASKED: Said = { is: 'given', version: 'asked' };
const NO: Said = { is: 'no' };
const ABSENT: Said = { is: 'absent' };
const FAILED: Said = { is: 'failed' };
const REFUSED: Said = { is: 'refused' };

/** What each answer to a GET of a manifest by tag says. */
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

/** What answers to a HEAD say. An answer that is not in this table leaves the question open. */
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

/** What refusals of a token endpoint say about the question. Its document never decides about cached content. */
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

/** Returns what an answer to a GET of a manifest says. By digest, another manifest cannot be the right answer. */
export function saidByGet(answer: AnswerName, by: 'tag' | 'digest'): Said {
  return by === 'digest' && answer === 'another content' ? FAILED : BY_GET[answer];
}

export function saidByHead(answer: AnswerName): Said {
  return BY_HEAD[answer] ?? { is: 'open' };
}

/** @returns undefined if the token endpoint gives a token */
export function saidByToken(answer: AnswerName): Said | undefined {
  return WITH_TOKEN.has(answer) ? undefined : (BY_TOKEN[answer] ?? FAILED);
}
