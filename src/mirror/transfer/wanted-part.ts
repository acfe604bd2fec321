import type { ByteRange } from '../../upstream/upstream.ts';

/**
 * Cuts the wanted range out of consecutive pieces.
 * @param position position of the first piece in the blob
 */
export function wantedPart(
  pieces: readonly Uint8Array[],
  position: number,
  { start, end }: ByteRange,
): Uint8Array[] {
  const wanted: Uint8Array[] = [];
  let at = position;
  for (const piece of pieces) {
    const skip = Math.max(0, start - at);
    const limit = end === undefined ? piece.length : end - at;
    const part = piece.subarray(skip, Math.max(skip, limit));
    if (part.length > 0) wanted.push(part);
    at += piece.length;
  }
  return wanted;
}

export function byteLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((bytes, { length }) => bytes + length, 0);
}
