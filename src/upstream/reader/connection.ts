import type { Socket } from 'node:net';
import { AnswerBody } from './answer-body.ts';
import type { AnswerHead } from './answer-head.ts';
import { AnswerParser, type AnswerEvent } from './answer-parser.ts';
import { LostConnectionError, UnfitAnswerError } from './failures.ts';
import { ReadMemory } from './read-memory.ts';

/** Opens a socket that reads as it is told. It connects by itself. */
export type OpenSocket = (onread: OnRead) => Socket;

/** How a socket reads: see `onread` of `net.Socket`. */
interface OnRead {
  readonly buffer: () => Uint8Array;
  readonly callback: (bytes: number) => boolean;
}

/** An answer whose body is still to come. */
export interface AnswerInReading {
  readonly head: AnswerHead;
  readonly body: AnswerBody;
  /** Resolves when the connection is needed no more, because the answer has ended, has failed or was destroyed. */
  readonly over: Promise<AfterAnswer>;
}

/** What has become of a connection when an answer is over; `unfit`: the answer was not of the simplest form. */
type AfterAnswer = 'reusable' | 'closed' | 'unfit';

/** The request that a connection is used for. */
interface Exchange {
  readonly parser: AnswerParser;
  readonly answered: PromiseWithResolvers<AnswerInReading>;
  readonly over: PromiseWithResolvers<AfterAnswer>;
  body: AnswerBody | undefined;
}

/** A connection to a server that carries one request after another. */
export class ReaderConnection {
  readonly socket: Socket;
  readonly #memory = new ReadMemory();
  #exchange: Exchange | undefined;
  #answers = 0;
  /** How long it may be idle now, in milliseconds. */
  idleMs = 0;
  /** Called once, when it is closed while it is idle. */
  onIdleClose: (() => void) | undefined;

  constructor(open: OpenSocket) {
    this.socket = open({
      buffer: () => this.#memory.room(),
      callback: (bytes) => {
        this.#read(this.#memory.filled(bytes));
        return true;
      },
    });
    let error: Error | undefined;
    this.socket.on('error', (failure) => (error = failure));
    this.socket.once('end', () => this.#closed());
    this.socket.once('close', () => this.#closed(error));
    // Without it the end is not told: bytes come by `onread`, past the stream.
    this.socket.resume();
  }

  /**
   * Sends a request. @param text its head
   * @throws UnfitAnswerError, LostConnectionError, or the socket's error, if no answer has begun
   */
  get(text: string): Promise<AnswerInReading> {
    const exchange: Exchange = {
      parser: new AnswerParser(),
      answered: Promise.withResolvers(),
      over: Promise.withResolvers(),
      body: undefined,
    };
    this.#exchange = exchange;
    this.socket.write(text, 'latin1');
    return exchange.answered.promise;
  }

  /** Closes the connection; a request under way fails. */
  destroy(error?: Error): void {
    this.#fail(error ?? new LostConnectionError(false));
    this.socket.destroy();
  }

  #read(bytes: Uint8Array): void {
    const exchange = this.#exchange;
    // What comes unasked for could be taken for the answer to the next request.
    if (exchange === undefined) this.socket.destroy();
    else for (const event of exchange.parser.push(bytes)) this.#handle(exchange, event);
  }

  #handle(exchange: Exchange, event: AnswerEvent): void {
    switch (event.kind) {
      case 'head':
        exchange.body = this.#newBody();
        exchange.answered.resolve({ head: event.head, body: exchange.body, over: exchange.over.promise });
        return;
      case 'bytes':
        this.#memory.lend(event.bytes);
        exchange.body?.add(event.bytes);
        return;
      case 'end':
        this.#end(exchange, event.isExact);
        return;
      case 'unfit':
        this.destroy(new UnfitAnswerError(event.why));
        return;
      case 'cut':
        this.destroy(new LostConnectionError(this.#isStale(exchange)));
    }
  }

  #newBody(): AnswerBody {
    return new AnswerBody({
      pause: () => this.socket.pause(),
      resume: () => this.socket.resume(),
      giveBack: (parts) => this.#memory.giveBack(parts),
      destroy: () => this.destroy(),
    });
  }

  #end(exchange: Exchange, isExact: boolean): void {
    this.#answers += 1;
    this.#exchange = undefined;
    this.idleMs = exchange.parser.idleMs ?? 0;
    const isReusable = isExact && this.idleMs > 0 && !this.socket.destroyed;
    if (isReusable) this.socket.resume();
    else this.socket.destroy();
    exchange.body?.end();
    exchange.over.resolve(isReusable ? 'reusable' : 'closed');
  }

  #closed(error?: Error): void {
    const exchange = this.#exchange;
    const event = error === undefined ? exchange?.parser.close() : undefined;
    if (exchange !== undefined && event !== undefined) this.#handle(exchange, event);
    this.#fail(new LostConnectionError(this.#isStale(exchange), error));
    this.onIdleClose?.();
    this.onIdleClose = undefined;
  }

  #isStale(exchange: Exchange | undefined): boolean {
    return this.#answers > 0 && exchange?.body === undefined;
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    exchange.answered.reject(error);
    exchange.body?.end(error);
    exchange.over.resolve(error instanceof UnfitAnswerError ? 'unfit' : 'closed');
  }
}
