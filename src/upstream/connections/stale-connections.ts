import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { DiagnosticsChannel } from 'undici';

/**
 * Tells the requests that got no answer because a kept connection was no longer good: it had carried a request
 * before. A server may close an idle connection whenever it likes, also while the next request is on its way,
 * and an idempotent one may then be sent again (RFC 9112 §9.3.1, §9.6). undici tells which request went on which
 * connection, and how it failed, by its diagnostics channels only.
 */
export class StaleConnections {
  readonly #used = new WeakSet<Socket>();
  readonly #reusing = new WeakSet<object>();
  readonly #stale = new WeakSet<object>();

  constructor() {
    subscribe('undici:client:sendHeaders', this.#onSend);
    subscribe('undici:request:error', this.#onError);
  }

  /** Whether this error is of a request on a connection that had carried others. */
  hasCaused(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#stale.has(error);
  }

  close(): void {
    unsubscribe('undici:client:sendHeaders', this.#onSend);
    unsubscribe('undici:request:error', this.#onError);
  }

  readonly #onSend = (message: unknown): void => {
    const { request, socket } = message as DiagnosticsChannel.ClientSendHeadersMessage;
    if (this.#used.has(socket)) this.#reusing.add(request);
    this.#used.add(socket);
  };

  readonly #onError = (message: unknown): void => {
    const { request, error } = message as DiagnosticsChannel.RequestErrorMessage;
    if (this.#reusing.has(request)) this.#stale.add(error);
  };
}
