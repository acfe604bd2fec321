import { StoreError } from '../../store/error.ts';

/** How far a fill has come, and what it was told of its size. Bytes. */
export interface Filling {
  readonly size: number | undefined;
  readonly offset: number;
}

/** How many bytes a fill may write before it asks again; none where there is no room for it. */
export type FillRoom = (fill: Filling) => Promise<number>;

/** A fill has no room for the rest of its blob, which is passed on and not kept: that says nothing of the disk. */
export class NoRoomError extends StoreError {
  constructor() {
    super('keep more of a blob than there is room for', { code: 'EFBIG' });
  }
}

/** What one fill may write. */
export class Allowance {
  readonly #room: FillRoom | undefined;
  #left = 0;

  /** @param room absent: there is always room */
  constructor(room: FillRoom | undefined) {
    this.#room = room;
  }

  /** @returns whether there is room for anything */
  async ask(fill: Filling): Promise<boolean> {
    this.#left = (await this.#room?.(fill)) ?? Number.POSITIVE_INFINITY;
    return this.#left > 0;
  }

  /** @throws NoRoomError where the bytes are more than the fill may take */
  async spend(bytes: number, fill: Filling): Promise<void> {
    if (bytes > this.#left && (await this.ask(fill)) && fill.size !== undefined) {
      // There is room for all of it: a slice says only how soon to ask again.
      this.#left = Math.max(this.#left, bytes);
    }
    if (bytes > this.#left) throw new NoRoomError();
    this.#left -= bytes;
  }
}
