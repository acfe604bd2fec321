import { UpstreamError } from '../error.ts';
import type { Upstream } from '../upstream.ts';

/** Returns an upstream that is never contacted: every question fails at once, without a socket. */
export function offlineUpstream(name: string): Upstream {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new UpstreamError(
        name,
        'unavailable',
        'offline',
        'not asked, since the mirror is configured to be offline',
        { wasAsked: false },
      ),
    );
  return {
    name,
    resolve: refuse,
    manifest: refuse,
    blob: refuse,
    statBlob: refuse,
    tags: refuse,
    referrers: refuse,
    rateLimit: () => undefined,
    accountRefusal: () => undefined,
    close: () => Promise.resolve(),
  };
}
