/** How far a fill has come. Bytes; `size` is undefined where upstream did not tell it. */
export interface FillProgress {
  readonly offset: number;
  readonly size: number | undefined;
}

const LITTLE_LEFT = 64 * 1024 * 1024;
const WELL_UNDER_WAY = 0.25;

/**
 * Whether a fill that nobody follows any more should go on: when little is left, or when a good part is
 * here already, finishing costs less than the fetch that the next client would have to begin anew.
 */
export function isWorthFinishing({ offset, size }: FillProgress): boolean {
  if (size === undefined) return false;
  return size - offset <= LITTLE_LEFT || offset >= size * WELL_UNDER_WAY;
}
