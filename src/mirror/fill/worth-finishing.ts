/** Progress of a fill. Bytes; `size` is undefined if upstream did not tell it. */
export interface FillProgress {
  readonly offset: number;
  readonly size: number | undefined;
}

const LITTLE_LEFT = 64 * 1024 * 1024;
const WELL_UNDER_WAY = 0.25;

/** How long a fill that is not worth finishing waits for a client to come back. */
const GRACE_MS = 10_000;

/**
 * The same after a client has asked for a part: a client that reads a blob in parts leaves after each, and comes back
 * for the next one. To give the fill up between two parts would fetch the beginning time and again.
 */
const GRACE_BETWEEN_PARTS_MS = 60_000;

/**
 * Whether a fill without followers should go on: if little is left, or a good part is here already, finishing costs
 * less than the fetch that the next client would have to begin anew.
 */
export function isWorthFinishing({ offset, size = Infinity }: FillProgress): boolean {
  return size - offset <= LITTLE_LEFT || offset >= size * WELL_UNDER_WAY;
}

/** Milliseconds without a client after which a fill is given up, unless it is worth finishing by then. */
export function graceMs(isReadInParts: boolean): number {
  return isReadInParts ? GRACE_BETWEEN_PARTS_MS : GRACE_MS;
}
