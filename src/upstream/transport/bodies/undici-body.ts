import type { Dispatcher } from 'undici';
import { Arrivals } from './arrivals.ts';
import { releaseMemory } from './release-memory.ts';
import type { RawBody } from './response-body.ts';

/** The body of an answer that undici reads: each piece has memory of its own. */
export class UndiciBody implements RawBody {
  readonly #body: Dispatcher.ResponseData['body'];
  #arrivals: Arrivals | undefined;
  /** The pieces whose memory is released when the next ones are asked for. */
  #lent: readonly Uint8Array[] = [];

  constructor(body: Dispatcher.ResponseData['body']) {
    this.#body = body;
    // A body that fails while no reader waits must not end the process; the next reader gets the error all the same.
    body.on('error', () => undefined);
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    for (const piece of this.#lent) releaseMemory(piece);
    this.#lent = [];
    this.#arrivals ??= new Arrivals(this.#body);
    const pieces = await this.#arrivals.next();
    this.#lent = pieces ?? [];
    return pieces;
  }

  own(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    this.#lent = [];
    return pieces;
  }

  destroy(error?: Error): void {
    this.#body.destroy(error);
  }

  async discard(limit: number): Promise<void> {
    await this.#body.dump({ limit });
  }
}
