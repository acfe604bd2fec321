import { UpstreamError } from '../upstream/error.ts';

/**
 * The answer is no, whether it is proven to be the registry's or not: what is not cached is not to be had, and that is
 * worth remembering for a moment.
 */
export function isRefusal(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && (error.failure === 'absent' || error.failure === 'denied');
}

/**
 * The registry itself has said no to what was asked for, and what is cached of it may not be served any more. All other
 * refusals are failures to what is cached: of an ingress or a block page, of a token endpoint, of our own account.
 */
export function isVerdict(error: unknown): error is UpstreamError {
  return isRefusal(error) && error.isVerdict;
}

/**
 * Whether a refused question is not asked again for a moment. Where something is cached, a refusal that is not proven is
 * not remembered: the first question after the trouble must get the right answer. One of our own account is, since
 * registries lock accounts that are shown to them too often.
 */
export function isWorthRemembering(error: unknown, isCached: boolean): error is UpstreamError {
  if (!isRefusal(error)) return false;
  const isOfAccount = error.reason === 'account-refused' || error.reason === 'token-refused';
  return error.isVerdict || isOfAccount || !isCached;
}
