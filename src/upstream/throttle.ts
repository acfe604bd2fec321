import type { Clock } from '../clock.ts';
import { decorate, type CallKind } from './decorate.ts';
import { UpstreamError } from './error.ts';
import type { Upstream } from './upstream.ts';

/** Where upstream does not say how long to wait. */
const DEFAULT_WAIT_MS = 30_000;
/** However long upstream says: it is asked again after this. */
const MAX_WAIT_MS = 15 * 60_000;

/**
 * An upstream that is left alone for as long as it says with a 429 (RFC 6585 §4, Retry-After). Docker Hub's pull
 * limit is over manifests only: what else is asked goes on. Its abuse limit is over everything.
 */
export function respectThrottling(upstream: Upstream, clock: Clock): Upstream {
  const pauses = new Map<'manifest' | 'all', { readonly until: number; readonly error: UpstreamError }>();

  const pauseOf = (kind: CallKind): UpstreamError | undefined => {
    for (const scope of kind === 'manifest' ? (['manifest', 'all'] as const) : (['all'] as const)) {
      const pause = pauses.get(scope);
      const leftMs = pause === undefined ? 0 : pause.until - clock.monotonic();
      if (pause !== undefined && leftMs > 0) return stillThrottled(pause.error, leftMs);
      pauses.delete(scope);
    }
    return undefined;
  };

  const note = (error: unknown, kind: CallKind): void => {
    if (!(error instanceof UpstreamError) || error.failure !== 'throttled') return;
    const waitMs = Math.min(error.retryAfterMs ?? DEFAULT_WAIT_MS, MAX_WAIT_MS);
    const scope = kind === 'manifest' && error.reason === 'rate-limit' ? 'manifest' : 'all';
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

function stillThrottled(error: UpstreamError, leftMs: number): UpstreamError {
  const message = error.message.slice(error.upstream.length + 2);
  return new UpstreamError(error.upstream, 'throttled', error.reason, message, {
    status: error.status,
    retryAfterMs: leftMs,
    wasAsked: false,
    cause: error,
  });
}
