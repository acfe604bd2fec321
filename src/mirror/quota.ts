import { UpstreamError } from '../upstream/error.ts';
import type { Target } from './target.ts';

/**
 * Refuses a pull that would be one of the last ones that upstream allows: the policy keeps them.
 * @param why the beginning of the message
 * @throws UpstreamError `quota-reserve`
 */
export function assertQuota({ upstream, key, tags }: Target, why: string): void {
  const { remaining } = upstream.rateLimit() ?? {};
  if (remaining === undefined || remaining > tags.quotaReserve) return;
  throw new UpstreamError(
    key.registry,
    'throttled',
    'quota-reserve',
    `${why} only ${remaining} pulls are left, which are kept for what is not cached`,
  );
}
