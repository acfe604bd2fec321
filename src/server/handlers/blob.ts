import type { OutgoingHttpHeaders } from 'node:http';
import type { Mirror } from '../../cache/mirror.ts';
import type { OpenedBlob } from '../../cache/asked.ts';
import { waitForEnd } from '../../cache/read-blob.ts';
import { matchesETag, parseETag, parseIfNoneMatch } from '../../http/etag.ts';
import {
  formatContentRange,
  formatUnsatisfied,
  parseRange,
  resolveRange,
  type RangeSpec,
} from '../../http/range.ts';
import type { Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import type { Answer } from '../answer.ts';
import { NO_BODY } from '../reply.ts';
import { errorReply } from '../error-reply.ts';
import type { Question } from './question.ts';

/** GET and HEAD of a blob: whole (200), a single range of it (206), nothing of it (416, 304). Never a redirect. */
export async function answerBlob(mirror: Mirror, question: Question, digest: Digest): Promise<Answer> {
  const { headers, isHead, target, client } = question;
  const isKnown = matchesETag(parseIfNoneMatch(headers['if-none-match']), digest);
  if (isHead || isKnown) {
    const { size, outcome } = await mirror.blobHead(target, digest, client);
    if (isKnown) return { status: 304, headers: identityOf(digest), body: NO_BODY, outcome };
    return { status: 200, headers: { ...identityOf(digest), ...lengthOf(size) }, body: NO_BODY, outcome };
  }
  const range = wantedRange(headers, digest);
  const opened = await mirror.blob(target, digest, range, client);
  try {
    // What is told of the whole holds only once it is verified; then its length is known, too.
    if (opened.reader.size === undefined && question.needsLength) await waitForEnd(opened.reader);
    return await blobAnswer(opened, digest, range);
  } catch (error) {
    await opened.reader.close();
    throw error;
  }
}

async function blobAnswer(
  { reader, outcome }: OpenedBlob,
  digest: Digest,
  range: RangeSpec | undefined,
): Promise<Answer> {
  const { size } = reader;
  // A response without a body cannot be cut: that there is nothing is verified before it is said.
  if (size === 0) await reader.available(0);
  const part = range === undefined || size === undefined ? 'whole' : resolveRange(range, size);
  if (part === 'unsatisfiable') {
    // How long the blob is may be a lie until its bytes are verified.
    await waitForEnd(reader);
    await reader.close();
    return { ...unsatisfiable(size ?? 0), outcome };
  }
  const { start, end } = part === 'whole' ? { start: 0, end: size } : part;
  const headers = { ...identityOf(digest), ...lengthOf(end === undefined ? undefined : end - start) };
  const body = { kind: 'blob', reader, start, end } as const;
  return part === 'whole'
    ? { status: 200, headers, body, outcome }
    : { status: 206, headers: { ...headers, 'Content-Range': formatContentRange(part) }, body, outcome };
}

/** The headers that are the same for every way of asking. */
function identityOf(digest: Digest): OutgoingHttpHeaders {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
  };
}

function lengthOf(size: number | undefined): OutgoingHttpHeaders {
  return size === undefined ? {} : { 'Content-Length': size };
}

/** The Range header, unless If-Range does not name these bytes: by a strong tag (RFC 9110 §13.1.5). */
function wantedRange(headers: Question['headers'], digest: Digest): RangeSpec | undefined {
  const conditions = headers['if-range'] ?? [];
  if (!conditions.every((condition) => namesStrongly(condition, digest))) return undefined;
  return parseRange(headers['range']?.[0]);
}

function namesStrongly(condition: string, digest: Digest): boolean {
  const tag = parseETag(condition);
  return tag?.value === digest && !tag.isWeak;
}

function unsatisfiable(size: number): Answer {
  const error = new RegistryError('RANGE_INVALID', `the blob has ${size} bytes; the range has none of them`);
  const reply = errorReply(error, { kind: 'blob', hasFallback: false });
  return { ...reply, headers: { ...reply.headers, 'Content-Range': formatUnsatisfied(size) } };
}
