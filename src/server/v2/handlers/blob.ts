import type { OutgoingHttpHeaders } from 'node:http';
import type { OpenedBlob } from '../../../repository/opened-blob.ts';
import { waitForEnd } from '../../../store/read-whole.ts';
import { matchesETag, parseETag, parseIfNoneMatch } from '../../../http/etag.ts';
import { planMultipart } from '../../../http/ranges/multipart.ts';
import { resolveRanges } from '../../../http/ranges/range-set.ts';
import {
  formatContentRange,
  formatUnsatisfied,
  parseRange,
  type ContentRange,
  type RangeSpec,
} from '../../../http/ranges/range.ts';
import { SegmentsReader } from '../../../delivery/segments-reader.ts';
import type { BlobReader } from '../../../store/blob-store.ts';
import type { Digest } from '../../../oci/digest.ts';
import { RegistryError } from '../../../oci/error.ts';
import type { Answer } from '../answer.ts';
import { NO_BODY } from '../../reply.ts';
import { errorReply } from '../../error-reply.ts';
import type { Question, RandomBytes } from './question.ts';

const CONTENT_TYPE = 'application/octet-stream';
/** Length of a multipart boundary: long enough that no blob's author can guess it. */
const BOUNDARY_BYTES = 16;

/** Answers GET and HEAD of a blob: whole (200), ranges (206), or no bytes (304, 416). Never redirects. */
export async function answerBlob(question: Question, digest: Digest): Promise<Answer> {
  const { headers, isHead, repository, client } = question;
  const isKnown = matchesETag(parseIfNoneMatch(headers['if-none-match']), digest);
  if (isHead || isKnown) {
    const { size, outcome } = await repository.blobHead(digest, { client });
    if (isKnown) return { status: 304, headers: identityOf(digest), body: NO_BODY, outcome };
    return { status: 200, headers: { ...identityOf(digest), ...lengthOf(size) }, body: NO_BODY, outcome };
  }
  const range = wantedRange(headers, digest);
  const opened = await repository.blob(digest, { range, client });
  try {
    // The answer needs a length that upstream has not told. It may be told only once the blob is verified; by then it
    // is known.
    if (opened.reader.size === undefined && question.needsLength) await waitForEnd(opened.reader);
    return await blobAnswer(opened, digest, range, question.randomBytes);
  } catch (error) {
    await opened.reader.close();
    throw error;
  }
}

async function blobAnswer(
  { reader, outcome, isWhole }: OpenedBlob,
  digest: Digest,
  range: RangeSpec | undefined,
  randomBytes: RandomBytes,
): Promise<Answer> {
  const { size } = reader;
  // A response without a body cannot be cut when it proves wrong, so an empty blob is verified first.
  if (size === 0) await reader.available(0);
  const isAll = range === undefined || size === undefined || isWhole === true;
  const parts = isAll ? 'whole' : resolveRanges(range, size);
  if (parts === 'unsatisfiable') {
    // The size that upstream tells may be a lie until the bytes are verified.
    await waitForEnd(reader);
    await reader.close();
    return { ...unsatisfiable(size ?? 0), outcome };
  }
  return {
    ...(parts === 'whole' ? whole(reader, digest) : partial(reader, digest, parts, randomBytes)),
    outcome,
  };
}

function whole(reader: BlobReader, digest: Digest): Answer {
  const { size } = reader;
  const headers = { ...identityOf(digest), ...lengthOf(size) };
  return { status: 200, headers, body: { kind: 'blob', reader, start: 0, end: size } };
}

/**
 * Answers with parts of a blob. A single part is not sent as multipart, even if the client asked for several ranges
 * (RFC 9110 §15.3.7.2 allows both): a client takes it as the answer to one range.
 */
function partial(
  reader: BlobReader,
  digest: Digest,
  parts: readonly ContentRange[],
  randomBytes: RandomBytes,
): Answer {
  const identity = identityOf(digest);
  const [part] = parts;
  if (part !== undefined && parts.length === 1) {
    const { start, end } = part;
    const headers = { ...identity, ...lengthOf(end - start), 'Content-Range': formatContentRange(part) };
    return { status: 206, headers, body: { kind: 'blob', reader, start, end } };
  }
  const boundary = Buffer.from(randomBytes(BOUNDARY_BYTES)).toString('hex');
  const { contentType, length, segments } = planMultipart(parts, CONTENT_TYPE, boundary);
  const headers = { ...identity, 'Content-Type': contentType, ...lengthOf(length) };
  const body = new SegmentsReader(reader, segments);
  return { status: 206, headers, body: { kind: 'blob', reader: body, start: 0, end: length } };
}

/** Returns the headers that every answer about a blob has. */
function identityOf(digest: Digest): OutgoingHttpHeaders {
  return {
    'Content-Type': CONTENT_TYPE,
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
  };
}

function lengthOf(size: number | undefined): OutgoingHttpHeaders {
  return size === undefined ? {} : { 'Content-Length': size };
}

/** Returns the Range, unless there is an If-Range that is not the blob's strong tag (RFC 9110 §13.1.5). */
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
