import type { PieceSource, Seat } from './relay.ts';

interface RelaySourceOptions {
  readonly seat: Seat;
  /** Size of the blob in bytes, if it is known. */
  readonly size: number | undefined;
  /** Begins a transfer for this reader alone. */
  readonly open: (position: number) => Promise<PieceSource>;
  /** Called once, when the relay is left. */
  readonly onEnd: () => void;
}

/** Reads from a relay, and, once this reader has fallen behind, from a transfer of its own. */
export class RelaySource implements PieceSource {
  readonly #options: RelaySourceOptions;
  #own: PieceSource | undefined;
  #isDestroyed = false;
  #isGone = false;

  constructor(options: RelaySourceOptions) {
    this.#options = options;
  }

  get size(): number | undefined {
    return this.#options.size;
  }

  get offset(): number {
    return this.#own?.offset ?? this.#options.seat.offset;
  }

  async *pieces(): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    for (;;) {
      const pieces = await this.#options.seat.next();
      if (pieces === undefined) return;
      if (pieces === 'lost') break;
      yield pieces;
    }
    const own = await this.#options.open(this.#options.seat.offset);
    this.#own = own;
    this.#leave();
    if (this.#isDestroyed) own.destroy();
    yield* own.pieces();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#own?.destroy();
    this.#leave();
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#options.seat.leave();
    this.#options.onEnd();
  }
}
