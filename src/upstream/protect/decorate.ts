import { formatReference } from '../../oci/reference.ts';
import type { Upstream } from '../upstream.ts';

/** The kinds of questions to an upstream. */
export type CallKind = 'resolve' | 'manifest' | 'blob' | 'statBlob' | 'tags' | 'referrers';

/** One question to an upstream, by what tells it from others. */
export interface UpstreamCall {
  readonly kind: CallKind;
  readonly repository: string;
  /** Equal for equal questions only. */
  readonly key: string;
}

/** Returns an upstream whose every question goes through `around`; closing does not. */
export function decorate(
  upstream: Upstream,
  around: <T>(call: () => Promise<T>, question: UpstreamCall) => Promise<T>,
): Upstream {
  const { name } = upstream;
  return {
    name,
    resolve: (...args) =>
      around(() => upstream.resolve(...args), question('resolve', args[0], formatReference(args[1]))),
    manifest: (...args) =>
      around(() => upstream.manifest(...args), question('manifest', args[0], formatReference(args[1]))),
    blob: (...args) => around(() => upstream.blob(...args), question('blob', args[0], args[1])),
    statBlob: (...args) => around(() => upstream.statBlob(...args), question('statBlob', args[0], args[1])),
    tags: (...args) => around(() => upstream.tags(...args), question('tags', args[0], args[1]?.next ?? '')),
    referrers: (...args) =>
      around(() => upstream.referrers(...args), question('referrers', args[0], args[1])),
    rateLimit: () => upstream.rateLimit(),
    accountRefusal: () => upstream.accountRefusal(),
    close: () => upstream.close(),
  };
}

function question(kind: CallKind, repository: string, what: string): UpstreamCall {
  return { kind, repository, key: [kind, repository, what].join('\0') };
}
