import type { UpstreamFailure, UpstreamFailureReason } from '../error.ts';
import type { Problem } from './problem.ts';

/** The class, cause and message of a failure: the content of an UpstreamError. */
export interface Classified {
  readonly failure: UpstreamFailure;
  readonly reason: UpstreamFailureReason;
  readonly message: string;
}

/** Codes by which a registry says "no such thing", whatever the status (Quay and ECR send some of them with 400). */
const ABSENT_CODES: ReadonlySet<string> = new Set([
  'BLOB_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'TAG_INVALID',
]);

/** Message of a 508 that brings none: an answer to HEAD has no body. */
const LOOP = 'a loop: the upstream leads back to a mirror on the way';

/** The meaning of an answer, and whether the registry itself provably gave it. */
export interface ClassifiedAnswer extends Classified {
  /** Whether the registry itself has refused: see `UpstreamError.isVerdict`. */
  readonly isVerdict: boolean;
}

/**
 * Classifies an answer above 299 (distribution-spec "Error Codes"). Only a 4xx with the registry's error document is a
 * verdict. Block pages, ingresses and gateways answer 4xx as well, with texts, pages and JSON of their own. No header
 * tells their answers from the registry's, since proxies add headers; and an answer to HEAD has no body that could.
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
  const detail = message ?? (status === 508 ? LOOP : undefined);
  return detail === undefined ? `answered ${status}${how}` : `answered ${status}${how}: ${detail}`;
}

function classOf(status: number, problem: Problem): Pick<Classified, 'failure' | 'reason'> {
  if (status === 429 || isThrottledByCode(status, problem)) return throttled(problem);
  if (status === 404 || status === 410) return { failure: 'absent', reason: 'not-found' };
  if (isAboutTheObject(status) && problem.codes.length > 0) return classOfRefusal(status, problem);
  const isTimeout = status === 408 || status === 504;
  return { failure: 'unavailable', reason: isTimeout ? 'timeout' : 'status' };
}

/** Classifies a 4xx with an error document: there is no such thing, it is for others, or the request is rejected. */
function classOfRefusal(status: number, problem: Problem): Pick<Classified, 'failure' | 'reason'> {
  if (status === 401 || status === 403 || isStaleCredential(status, problem)) {
    return { failure: 'denied', reason: 'unauthorized' };
  }
  return problem.codes.some((code) => ABSENT_CODES.has(code))
    ? { failure: 'absent', reason: 'not-found' }
    : { failure: 'denied', reason: 'rejected' };
}

/**
 * The 4xx that are not about the object: some are about a proxy (407), time (408) or ranges (416), and some mean
 * "later": a conflict (409), a lock (423), too early (425).
 */
const ABOUT_SOMETHING_ELSE: ReadonlySet<number> = new Set([407, 408, 409, 416, 423, 425]);

function isAboutTheObject(status: number): boolean {
  return status >= 400 && status < 500 && !ABOUT_SOMETHING_ELSE.has(status);
}

/** Whether the answer refuses a stale token: public.ecr.aws says 400 DENIED then (aws/containers-roadmap#2835). */
export function isStaleCredential(status: number, problem: Problem): boolean {
  return status === 400 && problem.codes.some((code) => code === 'DENIED' || code === 'UNAUTHORIZED');
}

function isThrottledByCode(status: number, problem: Problem): boolean {
  return status >= 400 && status < 500 && problem.codes.includes('TOOMANYREQUESTS');
}

/**
 * Tells Docker Hub's two limiters apart: the pull limit answers with an error document, the abuse limit with plain text
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
  [/^(?:ERR_UNFIT_ANSWER|HPE_\w+|HTTPParserError|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_\w+)$/, 'content'],
];

/** Classifies an error of the connection or of the HTTP parser: always as `unavailable`. */
export function classifyNetworkError(error: unknown): Classified {
  const code = codeOf(error);
  const known = NETWORK_REASONS.find(([pattern]) => pattern.test(code))?.[1];
  return { failure: 'unavailable', reason: known ?? 'network', message: `${describe(known)} (${code})` };
}

/** Finds the error's code. If a name has several addresses, Node reports all attempts in one AggregateError. */
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
