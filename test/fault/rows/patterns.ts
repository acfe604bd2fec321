import { cut, failed, part, stale, whole } from '../cell.ts';
import type { Cells } from '../row.ts';

/**
 * Every request fails at once. What is not cached is refused at once, without a second try: the client may have
 * another host to go to. A transfer that has begun is worth more: it is taken up again after 0, ½, 1, 2 and 4 s.
 */
export const UNREACHABLE: Cells = {
  cold: failed(502, 1),
  stale: stale(1),
  manifest: failed(502, 1),
  blob: failed(502, 1),
  follower: cut(5, { tookMs: 7_500 }),
  range: failed(502, 1),
};

/** Five failures in a row: upstream is left alone for two seconds, or what was asked for is. */
export const LEFT_ALONE: Cells = {
  ...UNREACHABLE,
  follower: cut(5, { tookMs: 7_500, rightAfterMs: 2_000 }),
};

/** Upstream has nothing to do with it, or what it does makes no difference. */
export const UNHARMED: Cells = {
  cold: whole(2),
  stale: whole(1),
  manifest: whole(1),
  blob: whole(1),
  follower: whole(0),
  range: part(1),
};

/** One answer breaks: one request more for whatever was asked, and nobody sees anything of it. */
export const TAKEN_UP_AGAIN: Cells = {
  cold: whole(3),
  stale: whole(1),
  manifest: whole(2),
  blob: whole(2),
  follower: whole(1),
  range: part(2),
};

/**
 * The answer ends well and is wrong. Asking again would bring the same. A blob's last byte is held back until the
 * whole is verified; a part that ends before it has gone out by then, and this one was right. HEAD told the tag.
 */
export const WRONG: Cells = {
  cold: failed(502, 2, { cached: 'tag' }),
  stale: whole(1),
  manifest: failed(502, 1),
  blob: cut(1),
  follower: cut(0),
  range: part(1, { cached: 'nothing' }),
};
