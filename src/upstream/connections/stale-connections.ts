import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { DiagnosticsChannel } from 'undici';

/**
 * Recognises requests that got no answer because a kept connection was closed: one that had carried a request before. A
 * server may close an idle connection at any time, also while the next request is under way, and an idempotent request
 * may then be sent again (RFC 9112 §9.3.1, §9.6). Only undici's diagnostics channels tell which request used which
 * connection, and how it failed.
 */
export class StaleConnections {
  readonly #used = new WeakSet<Socket>();
  readonly #reusing = new WeakSet<object>();
  readonly #stale = new WeakSet<object>();

  constructor() {
    subscribe('undici:client:sendHeaders', this.#onSend);
    subscribe('undici:request:error', this.#onError);
  }

  /** Whether this is the error of a request on a connection that had carried others before. */
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
