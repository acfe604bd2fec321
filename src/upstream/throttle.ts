import type { Clock } from '../clock.ts';
import { decorate, type CallKind } from './decorate.ts';
import { UpstreamError } from './error.ts';
import { MAX_RETRY_AFTER_MS } from './retry-after.ts';
import type { Upstream } from './upstream.ts';

/** Where upstream does not say how long to wait. */
const DEFAULT_WAIT_MS = 30_000;

/**
 * What an upstream limits. Docker Hub's pull limit is over GETs of manifests, and its HEADs go on; who limits HEADs
 * limits manifests (protocol.md A1). Without a token nothing can be had.
 */
type Scope = 'pulls' | 'manifests' | 'blobs' | 'lists' | 'tokens';

/** What holds a call back, the narrowest first: a 429 to the call itself is of that one. */
const SCOPES: Readonly<Record<CallKind, readonly [Scope, ...Scope[]]>> = {
  manifest: ['pulls', 'manifests', 'tokens'],
  resolve: ['manifests', 'tokens'],
  blob: ['blobs', 'tokens'],
  statBlob: ['blobs', 'tokens'],
  tags: ['lists', 'tokens'],
  referrers: ['lists', 'tokens'],
};

const NAMES: Readonly<Record<Scope, string>> = {
  pulls: 'manifests',
  manifests: 'manifests',
  blobs: 'blobs',
  lists: 'lists',
  tokens: 'tokens',
};

/** An upstream that is left alone for as long as it says with a 429 (RFC 6585 §4, Retry-After), with what it limits. */
export function respectThrottling(upstream: Upstream, clock: Clock): Upstream {
  const pauses = new Map<Scope, { readonly until: number; readonly error: UpstreamError }>();

  const pauseOf = (kind: CallKind): UpstreamError | undefined => {
    for (const scope of SCOPES[kind]) {
      const pause = pauses.get(scope);
      const leftMs = pause === undefined ? 0 : pause.until - clock.monotonic();
      if (pause !== undefined && leftMs > 0) return stillThrottled(pause.error, scope, leftMs);
      pauses.delete(scope);
    }
    return undefined;
  };

  const note = (error: unknown, kind: CallKind): void => {
    if (!(error instanceof UpstreamError) || error.failure !== 'throttled') return;
    const waitMs = Math.min(error.retryAfterMs ?? DEFAULT_WAIT_MS, MAX_RETRY_AFTER_MS);
    const scope = error.reason === 'token' ? 'tokens' : SCOPES[kind][0];
    pauses.set(scope, { until: clock.monotonic() + waitMs, error });
  };

  return decorate(upstream, async (call, kind) => {
    const pause = pauseOf(kind);
    if (pause !== undefined) throw pause;
    try {
      return await call();
    } catch (error) {
      note(error, kind);
      throw error;
    }
  });
}

/** What whoever comes next is told: nothing of who asked for what when it was throttled. */
function stillThrottled(error: UpstreamError, scope: Scope, leftMs: number): UpstreamError {
  const seconds = Math.ceil(leftMs / 1000);
  const message = `limits requests for ${NAMES[scope]}; asked again in ${seconds} s`;
  return new UpstreamError(error.upstream, 'throttled', error.reason, message, {
    status: error.status,
    retryAfterMs: leftMs,
    wasAsked: false,
    cause: error,
  });
}
