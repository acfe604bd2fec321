import { resolveRange, type SingleRange } from '../../http/ranges/range.ts';
import type { FillProgress } from './worth-finishing.ts';

/** A part of a blob to fetch beside its fill: bytes from `start` up to, not including, `end`. */
export interface DirectPart {
  readonly start: number;
  readonly end: number;
}

/** The facts about a running fill that decide whether a part of its blob is fetched beside it. */
export interface FillInView extends FillProgress {
  /** Number of readers now. */
  readonly followers: number;
  /** Bytes of the blob that were requested beside the fill so far. */
  readonly directBytes: number;
}

/** Distance ahead of the fill, in bytes, beyond which a part is fetched by itself: nearer bytes will be here soon. */
const FAR_AHEAD = 8 * 1024 * 1024;

/** Greatest share of the blob that may be fetched beside its fill in all: upstream sends a blob 1.25 times at most. */
const DIRECT_SHARE = 0.25;

/**
 * Returns the bytes to fetch beside the fill for a range that lies far ahead of it; undefined if the range must follow
 * the fill. Closed ranges come from clients that wait for a particular part (the footer of a lazily pulled layer). An
 * open-ended range has one of two causes. If no client reads the fill, the range is a download that goes on after a
 * break, and its own client has begun the fill: it is fetched beside the fill. If clients read the fill, the range is
 * one of containerd's parallel requests, which want the whole blob between them, and each of which closes when it has
 * its chunk: it reads from the fill (containerd core/remotes/docker/fetcher.go, `concurrent_layer_fetch_buffer`).
 */
export function directPart(range: SingleRange | undefined, fill: FillInView): DirectPart | undefined {
  const { size, offset, followers, directBytes } = fill;
  if (range === undefined || size === undefined) return undefined;
  const resolved = resolveRange(range, size);
  if (typeof resolved === 'string') return undefined;
  const { start, end } = resolved;
  if (start - offset <= FAR_AHEAD) return undefined;
  if (isOpenEnded(range, size) && followers > 0) return undefined;
  return directBytes + end - start <= size * DIRECT_SHARE ? { start, end } : undefined;
}

/** Whether the range has no end of its own: `N-`, or, as regclient writes it, an end beyond the last byte. */
function isOpenEnded(range: SingleRange, size: number): boolean {
  return range.kind === 'from' || (range.kind === 'slice' && range.end > size);
}
