import { UpstreamError } from '../upstream/error.ts';

/** Upstream has answered, and the answer is no: worth remembering for a moment. */
export function isRefusal(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && (error.failure === 'absent' || error.failure === 'denied');
}

/**
 * The refusal is of what was asked for. That our own account or its token is refused is a failure like others: what
 * is cached goes on.
 */
export function isVerdict(error: unknown): error is UpstreamError {
  return isRefusal(error) && error.reason !== 'account-refused' && error.reason !== 'token-refused';
}
