import { AccessError, type AccessFailure } from '../../access/access-error.ts';
import { RegistryError, type ErrorCode } from '../../oci/error.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { LoopError } from './loop-guard.ts';
import type { V2Path } from './v2-path.ts';

/** An error as a client sees it. */
export interface ErrorAnswer {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail?: unknown;
  readonly retryAfterMs?: number | undefined;
}

/** The facts about a request that decide how an error is answered. */
export interface ErrorContext {
  readonly kind: V2Path['kind'] | undefined;
  /** Whether the client came by `ns`: then it has other hosts to try, and should go there at once. */
  readonly hasFallback: boolean;
  /** The upstream that the request selected, if it got that far. */
  readonly upstream?: string | undefined;
  /** How a refused client may authenticate. */
  readonly challenge?: string | undefined;
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  BLOB_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_INVALID: 502,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
};

/**
 * How a refusal of access control is answered. Never 403: it would tell that there is something; a client that may not
 * have it is told that it is not there.
 */
const ACCESS: Readonly<Record<AccessFailure, ErrorCode>> = {
  'no-credentials': 'UNAUTHORIZED',
  'wrong-credentials': 'UNAUTHORIZED',
  'insufficient-scope': 'UNAUTHORIZED',
  denied: 'NAME_UNKNOWN',
  throttled: 'TOOMANYREQUESTS',
  unavailable: 'UNAVAILABLE',
};

/** Wait, in milliseconds, that clients are told of if upstream does not say how long to wait. */
const DEFAULT_RETRY_MS = 60_000;

/** Decides how every error is answered. A 404 means that upstream said no, never that something broke. */
export function errorAnswer(error: unknown, context: ErrorContext): ErrorAnswer {
  if (error instanceof RegistryError) {
    return { status: STATUS[error.code], code: error.code, message: error.message, detail: error.detail };
  }
  if (error instanceof AccessError) {
    const { message, retryAfterMs } = error;
    const code = ACCESS[error.failure];
    return { status: STATUS[code], code, message, retryAfterMs };
  }
  if (error instanceof UpstreamError) return upstreamAnswer(error, context);
  if (error instanceof VerificationError) {
    const { upstream = 'upstream' } = context;
    return { status: 502, code: 'UNAVAILABLE', message: `${upstream}: sent wrong bytes: ${error.message}` };
  }
  if (error instanceof StoreError) {
    return { status: 500, code: 'UNKNOWN', message: `the cache failed: ${error.message}` };
  }
  if (error instanceof LoopError) return { status: 508, code: 'UNAVAILABLE', message: error.message };
  // The text of an unforeseen error may hold anything, so it goes to the log only.
  return { status: 500, code: 'UNKNOWN', message: 'internal error' };
}

function upstreamAnswer(error: UpstreamError, context: ErrorContext): ErrorAnswer {
  const { message } = error;
  switch (error.failure) {
    case 'absent':
      return { status: 404, code: unknownCode(context), message };
    case 'denied':
      // Not 401: a client would then send its own credentials for the registry to Larder.
      if (error.reason === 'account-refused') return { status: 403, code: 'DENIED', message };
      return { status: 404, code: 'NAME_UNKNOWN', message };
    case 'throttled':
      // 429 makes containerd ask five times at once; 503 makes it go to the next host.
      return {
        status: context.hasFallback ? 503 : 429,
        code: 'TOOMANYREQUESTS',
        message,
        retryAfterMs: error.retryAfterMs ?? DEFAULT_RETRY_MS,
      };
    case 'unavailable':
      return {
        status: unavailableStatus(error),
        code: 'UNAVAILABLE',
        message,
        retryAfterMs: error.retryAfterMs,
      };
  }
}

function unknownCode({ kind }: ErrorContext): ErrorCode {
  if (kind === 'manifest') return 'MANIFEST_UNKNOWN';
  return kind === 'blob' ? 'BLOB_UNKNOWN' : 'NAME_UNKNOWN';
}

function unavailableStatus(error: UpstreamError): number {
  // In a loop of several mirrors, each of them passes the 508 on.
  if (error.isLoop) return 508;
  switch (error.reason) {
    case 'timeout':
      return 504;
    case 'busy':
    case 'offline':
    case 'breaker-open':
    case 'unconfirmed':
    case 'cancelled':
    // The registry is there, and the next try may get a token.
    case 'token':
      return 503;
    default:
      return 502;
  }
}
