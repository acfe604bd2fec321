import { accepts, namesOnlySingleImages, parseAccept } from '../../http/accept.ts';
import { matchesETag, parseIfNoneMatch } from '../../http/etag.ts';
import type { ManifestPreference, Mirror } from '../../cache/mirror.ts';
import type { Outcome } from '../../cache/outcome.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import { NO_BODY, type ReplyBody } from '../reply.ts';
import type { Answer } from '../answer.ts';
import type { Question } from './question.ts';

/**
 * GET and HEAD of a manifest: byte-exact, with its own bare media type, its exact length and its digest, which
 * clients take for granted on both methods (distribution-spec, "Pulling manifests").
 */
export async function answerManifest(
  mirror: Mirror,
  question: Question,
  reference: Reference,
): Promise<Answer> {
  const { target, isHead, headers } = question;
  const preference = preferenceOf(headers['accept']);
  if (isHead) {
    const { digest, mediaType, size, outcome } = await mirror.manifestHead(target, reference, preference);
    return manifestAnswer(question, { digest, mediaType, size, body: NO_BODY }, outcome);
  }
  const { manifest, outcome } = await mirror.manifest(target, reference, preference);
  const { digest, mediaType, bytes } = manifest;
  return manifestAnswer(
    question,
    { digest, mediaType, size: bytes.length, body: { kind: 'bytes', bytes } },
    outcome,
  );
}

interface Representation {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly body: ReplyBody;
}

function manifestAnswer({ headers }: Question, manifest: Representation, outcome: Outcome): Answer {
  const { digest, mediaType, size, body } = manifest;
  const identity = { 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
  if (matchesETag(parseIfNoneMatch(headers['if-none-match']), digest)) {
    return { status: 304, headers: identity, body: NO_BODY, outcome };
  }
  return {
    status: 200,
    headers: { 'Content-Type': mediaType, 'Content-Length': size, ...identity },
    body,
    outcome,
  };
}

function preferenceOf(header: readonly string[] | undefined): ManifestPreference {
  const accept = parseAccept(header);
  return {
    accepts: (mediaType) => accepts(accept, mediaType),
    wantsSingleImage: namesOnlySingleImages(accept),
  };
}
