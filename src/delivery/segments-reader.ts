import { segmentLength, type Segment } from '../http/ranges/multipart.ts';
import type { BlobReader } from '../store/blob-store.ts';

interface Placed {
  readonly segment: Segment;
  /** Positions in the body: its first byte, and the one after its last. */
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a body of several segments as if it were one blob, forward only. So it can be sent like every other body, at
 * the client's speed. Closing it closes the blob's reader.
 */
export class SegmentsReader implements BlobReader {
  /** The body is in no file. */
  readonly fd = undefined;
  readonly size: number;
  readonly #blob: BlobReader;
  readonly #placed: readonly Placed[];
  #index = 0;

  constructor(blob: BlobReader, segments: readonly Segment[]) {
    this.#blob = blob;
    let at = 0;
    this.#placed = segments.map((segment) => {
      const from = at;
      at += segmentLength(segment);
      return { segment, from, to: at };
    });
    this.size = at;
  }

  async available(position: number): Promise<number> {
    const placed = this.#at(position);
    if (placed === undefined) return position;
    const { segment, from, to } = placed;
    if (segment instanceof Uint8Array) return to;
    const end = await this.#blob.available(segment.start + position - from);
    return Math.min(to, end - segment.start + from);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const placed = this.#at(position);
    if (placed === undefined) throw new RangeError(`nothing to read at ${position}: see available()`);
    const { segment, from, to } = placed;
    const wanted = into.subarray(0, to - position);
    if (!(segment instanceof Uint8Array)) return this.#blob.read(wanted, segment.start + position - from);
    wanted.set(segment.subarray(position - from, position - from + wanted.length));
    return wanted.length;
  }

  close(): Promise<void> {
    return this.#blob.close();
  }

  #at(position: number): Placed | undefined {
    while (position >= (this.#placed[this.#index]?.to ?? Number.POSITIVE_INFINITY)) this.#index += 1;
    return this.#placed[this.#index];
  }
}
