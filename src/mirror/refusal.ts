import { UpstreamError } from '../upstream/error.ts';

/**
 * Whether upstream has refused. The refusal need not be proven to be the registry's own: content that is not cached
 * cannot be had either way, and that is worth remembering for a moment.
 */
export function isRefusal(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && (error.failure === 'absent' || error.failure === 'denied');
}

/**
 * Whether the registry itself has refused the content: then even a cached copy may not be served any more. All other
 * refusals count as failures if the content is cached: those of an ingress, a block page, a token endpoint, or of our
 * own account.
 */
export function isVerdict(error: unknown): error is UpstreamError {
  return isRefusal(error) && error.isVerdict;
}

/**
 * Whether a refusal is remembered, so that its question is not asked again for a moment. If the content is cached, a
 * refusal that is not proven is not remembered: the first question after the trouble must get the right answer. A
 * refusal of our own account is remembered all the same, since registries lock accounts that are shown to them too
 * often.
 */
export function isWorthRemembering(error: unknown, isCached: boolean): error is UpstreamError {
  if (!isRefusal(error)) return false;
  const isOfAccount = error.reason === 'account-refused' || error.reason === 'token-refused';
  return error.isVerdict || isOfAccount || !isCached;
}
