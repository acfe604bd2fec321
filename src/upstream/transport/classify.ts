import type { UpstreamFailure, UpstreamFailureReason } from '../error.ts';
import type { Problem } from './problem.ts';

/** What went wrong: the content of an UpstreamError. */
export interface Classified {
  readonly failure: UpstreamFailure;
  readonly reason: UpstreamFailureReason;
  readonly message: string;
}

/** Codes by which a registry says "no such thing", whatever the status (Quay and ECR say some with 400). */
const ABSENT_CODES: ReadonlySet<string> = new Set([
  'BLOB_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'TAG_INVALID',
]);

/** The body that says so is missing after a HEAD. */
const LOOP = 'a loop: the upstream leads back to a mirror on the way';

/** What an answer means, and whether it is the registry's own word on what was asked for. */
export interface ClassifiedAnswer extends Classified {
  /** See `UpstreamError.isVerdict`. */
  readonly isVerdict: boolean;
}

/**
 * What an answer above 299 means (distribution-spec "Error Codes"). Only a 4xx with the registry's error document is
 * its word. Block pages, ingresses and gateways answer 4xx as well, with texts, pages and JSON of their own; no header
 * tells them apart, since proxies add those; and a HEAD has no body that could.
 */
export function classifyStatus(status: number, problem: Problem): ClassifiedAnswer {
  const { failure, reason } = classOf(status, problem);
  const isVerdict = (failure === 'absent' || failure === 'denied') && problem.codes.length > 0;
  return { failure, reason, message: messageOf(status, problem), isVerdict };
}

function messageOf(status: number, { codes, message }: Problem): string {
  const [code] = codes;
  const isUnproven = code === undefined && isAboutTheObject(status) && status !== 429;
  const how = isUnproven ? " without a registry's error document" : code === undefined ? '' : ` ${code}`;
  const told = message ?? (status === 508 ? LOOP : undefined);
  return told === undefined ? `answered ${status}${how}` : `answered ${status}${how}: ${told}`;
}

function classOf(status: number, problem: Problem): Pick<Classified, 'failure' | 'reason'> {
  if (status === 429 || isThrottledByCode(status, problem)) return throttled(problem);
  if (status === 404 || status === 410) return { failure: 'absent', reason: 'not-found' };
  if (isAboutTheObject(status) && problem.codes.length > 0) return saidNo(status, problem);
  const isTimeout = status === 408 || status === 504;
  return { failure: 'unavailable', reason: isTimeout ? 'timeout' : 'status' };
}

/** By a document: that there is none, that it is for others, or that there is something against the request. */
function saidNo(status: number, problem: Problem): Pick<Classified, 'failure' | 'reason'> {
  if (status === 401 || status === 403 || isStaleCredential(status, problem)) {
    return { failure: 'denied', reason: 'unauthorized' };
  }
  return problem.codes.some((code) => ABSENT_CODES.has(code))
    ? { failure: 'absent', reason: 'not-found' }
    : { failure: 'denied', reason: 'rejected' };
}

/**
 * Of all 4xx these are about something else than the object: a proxy (407), time (408) and ranges (416); and these
 * mean "later": a conflict (409), a lock (423), too early (425).
 */
const ABOUT_SOMETHING_ELSE: ReadonlySet<number> = new Set([407, 408, 409, 416, 423, 425]);

function isAboutTheObject(status: number): boolean {
  return status >= 400 && status < 500 && !ABOUT_SOMETHING_ELSE.has(status);
}

/** public.ecr.aws answers a stale token with 400 DENIED (aws/containers-roadmap#2835). */
export function isStaleCredential(status: number, problem: Problem): boolean {
  return status === 400 && problem.codes.some((code) => code === 'DENIED' || code === 'UNAUTHORIZED');
}

function isThrottledByCode(status: number, problem: Problem): boolean {
  return status >= 400 && status < 500 && problem.codes.includes('TOOMANYREQUESTS');
}

/**
 * Docker Hub has two limiters: the pull limit answers with an error document, the abuse limit with plain text
 * (https://docs.docker.com/docker-hub/usage/).
 */
function throttled(problem: Problem): Pick<Classified, 'failure' | 'reason'> {
  const isAbuse = problem.codes.length === 0 && /^too many requests/i.test(problem.message ?? '');
  return { failure: 'throttled', reason: isAbuse ? 'abuse-limit' : 'rate-limit' };
}

const NETWORK_REASONS: readonly (readonly [pattern: RegExp, reason: UpstreamFailureReason])[] = [
  [/^(?:ETIMEDOUT|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT)$/, 'timeout'],
  [/^ECONNREFUSED$/, 'refused'],
  [/^(?:ENOTFOUND|EAI_\w+)$/, 'dns'],
  [/^(?:ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET)$/, 'reset'],
  [/^(?:ERR_TLS_\w+|ERR_SSL_\w+|EPROTO|CERT_\w+|CRL_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+)$/, 'tls'],
  [/^(?:INVALID_CA|HOSTNAME_MISMATCH|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/, 'tls'],
  [/^(?:HPE_\w+|HTTPParserError|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_\w+)$/, 'content'],
];

/** What an error of the connection or of the HTTP parser means: always `unavailable`. */
export function classifyNetworkError(error: unknown): Classified {
  const code = codeOf(error);
  const known = NETWORK_REASONS.find(([pattern]) => pattern.test(code))?.[1];
  return { failure: 'unavailable', reason: known ?? 'network', message: `${describe(known)} (${code})` };
}

/** Of a name with several addresses Node reports all attempts in one AggregateError. */
function codeOf(error: unknown): string {
  const { code, cause, errors } = (error ?? {}) as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  if (cause !== undefined) return codeOf(cause);
  return error instanceof Error ? error.name : 'unknown error';
}

function describe(reason: UpstreamFailureReason | undefined): string {
  switch (reason) {
    case 'timeout':
      return 'no answer in time';
    case 'refused':
      return 'connection refused';
    case 'dns':
      return 'the host name cannot be resolved';
    case 'reset':
      return 'connection lost';
    case 'tls':
      return 'no trusted TLS connection';
    case 'content':
      return 'not a valid HTTP answer';
    default:
      return 'network failure';
  }
}
