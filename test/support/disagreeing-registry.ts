/**
 * Makes a fake registry disagree with itself: it answers each kind of question differently, by itself or through a
 * proxy before it. Questions that the table does not name get the right answer.
 *
 *     const agree = disagree(registry, { repository: 'acme/app', other: v2 }, { 'HEAD tag': '404 of an ingress' });
 *     …
 *     agree();
 */
import { digestOf } from '../../src/oci/digest.ts';
import type { FakeRegistry, RequestFilter, StoredManifest } from './fake-registry.ts';
import {
  cutAfter,
  flip,
  instead,
  json,
  redirect,
  registryError,
  resetBeforeHeaders,
  shortBody,
  status,
  withHeaders,
  wrongDigest,
  type Fault,
} from './scripted-reply.ts';

/** The kinds of requests to a registry. */
export const QUESTIONS = {
  'HEAD tag': { kind: 'manifest', by: 'tag', method: 'HEAD' },
  'GET tag': { kind: 'manifest', by: 'tag', method: 'GET' },
  'HEAD digest': { kind: 'manifest', by: 'digest', method: 'HEAD' },
  'GET digest': { kind: 'manifest', by: 'digest', method: 'GET' },
  'HEAD blob': { kind: 'blob', method: 'HEAD' },
  'GET blob': { kind: 'blob', method: 'GET', isPart: false },
  'GET part': { kind: 'blob', method: 'GET', isPart: true },
  tags: { kind: 'tags' },
  referrers: { kind: 'referrers' },
  token: { kind: 'token' },
} as const satisfies Record<string, RequestFilter>;

export type Question = keyof typeof QUESTIONS;

/** A host that the registry redirects to; the network must have it. */
export const ELSEWHERE = 'elsewhere.test';
const MISSING = digestOf(Buffer.from('missing'));
const FORBIDDEN = digestOf(Buffer.from('forbidden'));

/** The parts that an answer is made of. */
interface Material {
  readonly registry: FakeRegistry;
  readonly question: Question;
  /** Another manifest of the repository. */
  readonly other: StoredManifest;
}

const page = (code: number, body: string, type = 'text/html'): Fault =>
  instead(status(code, { body, headers: { 'content-type': type } }));

const elsewhere = ({ registry }: Material, digest: string): Fault =>
  instead(redirect(`http://${ELSEWHERE}:${registry.port}/storage/${digest}?signature=secret`));

/** The possible answers to a question. A shrunk counterexample has the first one. */
const ANSWERS = {
  right: () => (reply) => reply,
  'its own 404': ({ question }) =>
    instead(registryError(404, question.includes('blob') ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN')),
  'its own 404 of the name': () => instead(registryError(404, 'NAME_UNKNOWN')),
  'its own 403': () => instead(registryError(403, 'DENIED')),
  'its own 401': () => instead(registryError(401, 'UNAUTHORIZED')),
  '404 of an ingress': () => page(404, 'default backend - 404', 'text/plain'),
  '404 of a gateway': () => instead(json({ message: 'no Route matched' }, { status: 404 })),
  '403 of a block page': () => page(403, '<html>Blocked</html>'),
  '200 with a page': () => page(200, '<html>Welcome</html>'),
  '200 with an error document': () => instead(registryError(200, 'MANIFEST_UNKNOWN')),
  '429': () => instead(status(429, { retryAfter: 7 })),
  '500': () => instead(status(500)),
  '502': () => page(502, '<html>Bad Gateway</html>'),
  '503': () => instead(status(503)),
  'another digest in the header': () => wrongDigest(),
  'another size': ({ question }) =>
    question.startsWith('HEAD') ? withHeaders({ 'content-length': '7' }) : shortBody(),
  'another content': ({ question, other }) =>
    question.includes('blob') ? flip() : instead(replyWith(other)),
  'no digest in the header': () => withHeaders({ 'docker-content-digest': undefined }),
  cut: () => cutAfter(20),
  'a redirect to 404': (material) => elsewhere(material, MISSING),
  'a redirect to 403': (material) => elsewhere(material, FORBIDDEN),
  reset: () => resetBeforeHeaders(),
} as const satisfies Record<string, (material: Material) => Fault>;

export type AnswerName = keyof typeof ANSWERS;

export const ANSWER_NAMES = Object.keys(ANSWERS) as AnswerName[];

/** The answer to each kind of question; the right one if there is no entry. */
export type AnswerTable = Readonly<Partial<Record<Question, AnswerName>>>;

/** Begins the disagreement. @returns a function that ends it */
export function disagree(
  registry: FakeRegistry,
  { repository, other }: { readonly repository: string; readonly other: StoredManifest },
  table: AnswerTable,
): () => void {
  const entries = Object.entries(table) as [Question, AnswerName][];
  const ends = entries.map(([question, answer]) => {
    const where = question === 'token' ? QUESTIONS.token : { ...QUESTIONS[question], repository };
    return registry.fault(where, ANSWERS[answer]({ registry, question, other }));
  });
  ends.push(registry.fault({ kind: 'storage', digest: FORBIDDEN }, page(403, '<Error>AccessDenied</Error>')));
  return () => {
    for (const end of ends) end();
  };
}

function replyWith({ mediaType, digest, bytes }: StoredManifest): Parameters<typeof instead>[0] {
  return {
    status: 200,
    headers: { 'content-type': mediaType, 'docker-content-digest': digest },
    body: bytes,
  };
}
