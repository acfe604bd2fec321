import { resolveRange, type SingleRange } from '../../http/ranges/range.ts';
import type { FillProgress } from './worth-finishing.ts';

/** A part of a blob to fetch by itself: bytes from `start` up to, not including, `end`. */
export interface DirectPart {
  readonly start: number;
  readonly end: number;
}

/** A running fill, as somebody who wants a part of its blob sees it. */
export interface FillInView extends FillProgress {
  /** Who reads it now. */
  readonly followers: number;
  /** Bytes of the blob that were asked of upstream beside the fill so far. */
  readonly directBytes: number;
}

/** What begins within this distance of what a fill has is soon here. */
const FAR_AHEAD = 8 * 1024 * 1024;

/** What may be fetched beside a fill in all, as a part of the blob: upstream sends a blob 1.25 times at most. */
const DIRECT_SHARE = 0.25;

/**
 * The bytes to fetch by themselves for a range that lies far ahead of the fill; undefined where it is to follow
 * the fill. Closed ranges are those of clients that look for something (the footer of a lazily pulled layer) and
 * wait for it. An open-ended one is either a download that goes on after a break, and then nobody else reads the
 * fill, which it has begun itself; or one of containerd's parallel ones: those want the whole between them,
 * and close each when they have their chunk, so they get it from the fill. (containerd
 * core/remotes/docker/fetcher.go, `concurrent_layer_fetch_buffer`.)
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

/** To the end, wherever that is: `N-`, or an end beyond the last byte, which is how regclient says it. */
function isOpenEnded(range: SingleRange, size: number): boolean {
  return range.kind === 'from' || (range.kind === 'slice' && range.end > size);
}
