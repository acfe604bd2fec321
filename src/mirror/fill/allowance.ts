import { StoreError } from '../../store/error.ts';

/** Progress of a fill, and the size of its blob if that is known. Bytes. */
export interface Filling {
  readonly size: number | undefined;
  readonly offset: number;
}

/** Returns how many bytes a fill may write before it asks again; 0 if there is no room for it. */
export type FillRoom = (fill: Filling) => Promise<number>;

/**
 * Says that there is no room for the rest of a fill's blob: the blob is passed on and not kept. The disk itself has not
 * failed.
 */
export class NoRoomError extends StoreError {
  constructor() {
    super('keep more of a blob than there is room for', { code: 'EFBIG' });
  }
}

/** The number of bytes that one fill may still write. */
export class Allowance {
  readonly #room: FillRoom | undefined;
  #left = 0;

  /** @param room absent: there is always room */
  constructor(room: FillRoom | undefined) {
    this.#room = room;
  }

  /** Asks for room. @returns whether there is any */
  async ask(fill: Filling): Promise<boolean> {
    this.#left = (await this.#room?.(fill)) ?? Number.POSITIVE_INFINITY;
    return this.#left > 0;
  }

  /** Takes bytes from the allowance. @throws NoRoomError if they are more than the fill may write */
  async spend(bytes: number, fill: Filling): Promise<void> {
    if (bytes > this.#left && (await this.ask(fill)) && fill.size !== undefined) {
      // There is room for the whole blob: the number only says how soon to ask again.
      this.#left = Math.max(this.#left, bytes);
    }
    if (bytes > this.#left) throw new NoRoomError();
    this.#left -= bytes;
  }
}
