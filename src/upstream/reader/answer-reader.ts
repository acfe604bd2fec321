import type { Clock } from '../../clock.ts';
import type { AnswerInReading, ReaderConnection } from './connection.ts';
import { LostConnectionError } from './failures.ts';
import { IdleConnections } from './idle-connections.ts';

/** A request by the reader. */
export interface ReaderRequest {
  /** Scheme, host and port: connections are kept by it. */
  readonly origin: string;
  /** The head as it is sent: see `formatGet`. */
  readonly text: string;
  /** Opens a connection, if none is idle. */
  readonly dial: () => Promise<ReaderConnection>;
  /** Ends the request, also while its answer is read. */
  readonly signal: AbortSignal;
}

/**
 * Gets answers with large bodies: a minimal HTTP/1.1 client that reads into memory that is used again. It takes only
 * the simplest form of an answer. It keeps connections between requests.
 */
export class AnswerReader {
  readonly #idle: IdleConnections;
  readonly #busy = new Set<ReaderConnection>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#idle = new IdleConnections(clock);
  }

  /**
   * Sends a request, and once more by a new connection if a kept one turned out to be closed.
   * @throws UnfitAnswerError if another parser must read the answer; LostConnectionError; the signal's reason; and
   *   what `dial` throws
   */
  async get(request: ReaderRequest): Promise<AnswerInReading> {
    // An abort that came before tells no listener, and the answer would wait for a consumer for ever.
    request.signal.throwIfAborted();
    const kept = this.#idle.take(request.origin);
    if (kept === undefined) return this.#getBy(await this.#dialled(request), request);
    try {
      return await this.#getBy(kept, request);
    } catch (error) {
      const isStale = error instanceof LostConnectionError && error.isStale;
      if (!isStale || request.signal.aborted) throw error;
      return this.#getBy(await this.#dialled(request), request);
    }
  }

  /** Closes all connections; requests that still run fail. */
  close(): void {
    this.#isClosed = true;
    this.#idle.close();
    for (const connection of this.#busy) connection.destroy();
  }

  /** Opens a connection. If the request is given up meanwhile, the connection is closed as soon as it is there. */
  async #dialled({ dial, signal }: ReaderRequest): Promise<ReaderConnection> {
    const connection = await dial();
    if (!signal.aborted && !this.#isClosed) return connection;
    connection.destroy();
    throw signal.aborted ? signal.reason : new LostConnectionError(false);
  }

  async #getBy(
    connection: ReaderConnection,
    { text, origin, signal }: ReaderRequest,
  ): Promise<AnswerInReading> {
    const abort = (): void => connection.destroy(signal.reason as Error);
    const forget = (): void => {
      signal.removeEventListener('abort', abort);
      this.#busy.delete(connection);
    };
    this.#busy.add(connection);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const answer = await connection.get(text);
      void answer.over.then((after) => {
        forget();
        if (after === 'reusable') this.#idle.keep(origin, connection);
      });
      return answer;
    } catch (error) {
      forget();
      throw error;
    }
  }
}
