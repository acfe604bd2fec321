import { cut, failed, part, stale, whole } from '../cell.ts';
import type { Cells } from '../row.ts';

/**
 * Every request fails at once. If nothing is cached, Larder refuses at once, without a second try: the client may have
 * another host to go to. A transfer that has begun is worth more: Larder tries to resume it after 0, ½, 1, 2 and 4 s.
 */
export const UNREACHABLE: Cells = {
  cold: failed(502, 1),
  stale: stale(1),
  manifest: failed(502, 1),
  blob: failed(502, 1),
  follower: cut(5, { tookMs: 7_500 }),
  range: failed(502, 1),
};

/** Five failures in a row: for two seconds, Larder does not ask upstream, or does not repeat the failed question. */
export const LEFT_ALONE: Cells = {
  ...UNREACHABLE,
  follower: cut(5, { tookMs: 7_500, rightAfterMs: 2_000 }),
};

/** The fault does not concern upstream, or makes no difference. */
export const UNHARMED: Cells = {
  cold: whole(2),
  stale: whole(1),
  manifest: whole(1),
  blob: whole(1),
  follower: whole(0),
  range: part(1),
};

/** One answer breaks: Larder sends one more request for the same content, and no client notices. */
export const TAKEN_UP_AGAIN: Cells = {
  cold: whole(3),
  stale: whole(1),
  manifest: whole(2),
  blob: whole(2),
  follower: whole(1),
  range: part(2),
};

/**
 * The answer is complete but wrong, and a second request would bring the same. Larder holds back a blob's last byte
 * until the whole is verified. A part that ends before that byte has already been sent; here its bytes are right. HEAD
 * has told what the tag stands for.
 */
export const WRONG: Cells = {
  cold: failed(502, 2, { cached: 'tag' }),
  stale: whole(1),
  manifest: failed(502, 1),
  blob: cut(1),
  follower: cut(0),
  range: part(1, { cached: 'nothing' }),
};
