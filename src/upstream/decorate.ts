import type { Upstream } from './upstream.ts';

/** What an upstream is asked. */
export type CallKind = 'resolve' | 'manifest' | 'blob' | 'statBlob' | 'tags' | 'referrers';

/** An upstream whose every call goes through `around`. Closing does not. */
export function decorate(
  upstream: Upstream,
  around: <T>(call: () => Promise<T>, kind: CallKind) => Promise<T>,
): Upstream {
  return {
    name: upstream.name,
    resolve: (...args) => around(() => upstream.resolve(...args), 'resolve'),
    manifest: (...args) => around(() => upstream.manifest(...args), 'manifest'),
    blob: (...args) => around(() => upstream.blob(...args), 'blob'),
    statBlob: (...args) => around(() => upstream.statBlob(...args), 'statBlob'),
    tags: (...args) => around(() => upstream.tags(...args), 'tags'),
    referrers: (...args) => around(() => upstream.referrers(...args), 'referrers'),
    rateLimit: () => upstream.rateLimit(),
    accountRefusal: () => upstream.accountRefusal(),
    close: () => upstream.close(),
  };
}
