import type { Transfer } from './transfer.ts';

const NOTHING = new Uint8Array();

/**
 * Sends a body through this process, with at most two slices of it in memory, so that the disk and the socket work at
 * the same time.
 */
export async function sendByReading(transfer: Transfer): Promise<void> {
  const { sink } = transfer;
  const slices = new Slices(transfer);
  let slice = (await sink.unlessGone(slices.next(transfer.position))) ?? NOTHING;
  while (slice.length > 0 && !sink.isGone) {
    const written = sink.write(slice);
    transfer.position += slice.length;
    // The next slice is read while this one is being sent.
    const next = slices.next(transfer.position);
    next.catch(() => {});
    await written;
    slice = (await sink.unlessGone(next)) ?? NOTHING;
  }
}

/** Reads a body into two buffers in turn: while one is being sent, the other is filled. */
class Slices {
  readonly #transfer: Transfer;
  #free: Buffer | undefined;
  #other: Buffer | undefined;

  constructor(transfer: Transfer) {
    this.#transfer = transfer;
  }

  /**
   * Reads at most a slice of bytes from `position`; none at the end. They stay valid until the call after the next one.
   */
  async next(position: number): Promise<Uint8Array> {
    const { reader, end = Number.POSITIVE_INFINITY } = this.#transfer;
    if (position >= end) return NOTHING;
    const upTo = Math.min(await reader.available(position), end);
    if (upTo <= position) return NOTHING;
    const buffer = this.#take(end - position);
    const count = await reader.read(buffer.subarray(0, upTo - position), position);
    return buffer.subarray(0, count);
  }

  #take(left: number): Buffer {
    const buffer = this.#free ?? Buffer.allocUnsafeSlow(Math.min(this.#transfer.bufferBytes, left));
    this.#free = this.#other;
    this.#other = buffer;
    return buffer;
  }
}
