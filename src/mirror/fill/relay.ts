import type { Clock } from '../../clock.ts';
import { byteLength } from '../transfer/wanted-part.ts';

/** Greatest distance between the readers of one transfer, in bytes. As many bytes are kept in memory. */
const WINDOW = 4 * 1024 * 1024;

/** How long the readers that are ahead wait for a reader that is a whole window behind. */
const PATIENCE_MS = 5_000;

/** Bytes from one position on, in order. */
export interface PieceSource {
  /** The whole blob's size, if it is known. */
  readonly size: number | undefined;
  /** Position of the next byte that `pieces` will give. */
  readonly offset: number;
  /** What a step gives may be used until the next step, and no longer. */
  pieces(): AsyncGenerator<readonly Uint8Array[], void, undefined>;
  destroy(): void;
}

/** One reader's place in a relay. */
export interface Seat {
  readonly offset: number;
  /**
   * Returns the bytes at the offset. The next call moves the offset past them.
   * @returns undefined at the end, `lost` if the bytes are not kept any more. @throws the error that ended the relay
   */
  next(): Promise<readonly Uint8Array[] | 'lost' | undefined>;
  leave(): void;
}

/**
 * Shares one transfer among several readers after the store has refused its bytes, and keeps only a window of it. The
 * readers go on at about the pace of the slowest; a reader that is too slow for the others has to go on by itself.
 */
export class Relay {
  readonly #clock: Clock;
  readonly #seats = new Set<TakenSeat>();
  #pieces: Uint8Array[] = [];
  #start: number;
  #end: number;
  #over: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  /** @param offset of the first byte */
  constructor(offset: number, clock: Clock) {
    this.#start = offset;
    this.#end = offset;
    this.#clock = clock;
  }

  /** Adds a reader. @returns undefined if the bytes at `position` are kept no more, or are not the next ones yet */
  join(position: number): Seat | undefined {
    if (position < this.#start || position > this.#end) return undefined;
    const seat = new TakenSeat(this, position);
    this.#seats.add(seat);
    this.wake();
    return seat;
  }

  /** Takes a copy of more bytes: their own memory is the transfer's. Resolves once there is room for the next ones. */
  async push(pieces: readonly Uint8Array[]): Promise<void> {
    this.#pieces.push(...pieces.map((piece) => new Uint8Array(piece)));
    this.#end += byteLength(pieces);
    this.wake();
    let isPatient = true;
    const cancel = this.#clock.after(PATIENCE_MS, () => {
      isPatient = false;
      this.wake();
    });
    while (this.#over === undefined && !this.#hasRoom(isPatient)) await this.#changed();
    cancel();
    this.#trim();
  }

  /** Ends the relay: no more bytes come. @param error why, if these were not all */
  end(error?: unknown): void {
    this.#over ??= { error };
    this.wake();
  }

  wake(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }

  /** Waits for the bytes at a position; called by seats. */
  async at(position: number): Promise<readonly Uint8Array[] | 'lost' | undefined> {
    for (;;) {
      if (position < this.#start) return 'lost';
      if (position < this.#end) return this.#from(position);
      if (this.#over !== undefined) {
        if (this.#over.error !== undefined) throw this.#over.error;
        return undefined;
      }
      await this.#changed();
    }
  }

  /** Removes a reader; called by seats. */
  leave(seat: TakenSeat): void {
    this.#seats.delete(seat);
    this.wake();
  }

  /**
   * Whether there is room for more bytes. A single reader is waited for without end, and so is the first one, since the
   * followers may still be reading what is stored.
   */
  #hasRoom(isPatient: boolean): boolean {
    const offsets = [...this.#seats].map(({ offset }) => offset);
    if (offsets.length === 0) return false;
    const horizon = this.#end - WINDOW;
    return isPatient ? offsets.every((offset) => offset >= horizon) : Math.max(...offsets) >= horizon;
  }

  #trim(): void {
    while (this.#pieces[0] !== undefined && this.#end - this.#start - this.#pieces[0].length >= WINDOW) {
      this.#start += this.#pieces[0].length;
      this.#pieces.shift();
    }
    // A reader whose next bytes have gone is not waited for any more.
    for (const seat of this.#seats) if (seat.offset < this.#start) this.#seats.delete(seat);
  }

  #from(position: number): readonly Uint8Array[] {
    let at = this.#start;
    const found: Uint8Array[] = [];
    for (const piece of this.#pieces) {
      const skip = Math.max(0, position - at);
      if (skip < piece.length) found.push(piece.subarray(skip));
      at += piece.length;
    }
    return found;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

class TakenSeat implements Seat {
  readonly #relay: Relay;
  #offset: number;
  #pending = 0;

  constructor(relay: Relay, offset: number) {
    this.#relay = relay;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  async next(): Promise<readonly Uint8Array[] | 'lost' | undefined> {
    this.#offset += this.#pending;
    this.#pending = 0;
    this.#relay.wake();
    const pieces = await this.#relay.at(this.#offset);
    if (pieces !== undefined && pieces !== 'lost') this.#pending = byteLength(pieces);
    return pieces;
  }

  leave(): void {
    this.#relay.leave(this);
  }
}
