import { UpstreamError } from '../upstream/error.ts';

/** Upstream has answered, and the answer is no: worth remembering for a moment. */
export function isRefusal(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && (error.failure === 'absent' || error.failure === 'denied');
}
