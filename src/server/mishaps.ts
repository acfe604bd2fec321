import type { ServerResponse } from 'node:http';
import type { Events } from '../events.ts';
import { statusOfError } from './v2/cache-status.ts';
import { withCommonHeaders } from './common-headers.ts';
import { errorReply } from './error-reply.ts';
import { sendNow } from './reply.ts';
import type { RequestRecord } from './request/request-record.ts';

/**
 * Handles the program's own mistakes in handlers of the HTTP server. Node ends the program when such a handler throws;
 * here a mistake costs only the request or connection that met it, and is told as an event.
 */
export class Mishaps {
  readonly #events: Events;

  constructor(events: Events) {
    this.#events = events;
  }

  /** Runs the function, and emits an event if it throws. @returns whether it ran to its end */
  guard(operation: string, run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      this.#events.emit({ kind: 'server-failed', operation, error });
      return false;
    }
  }

  /** Tells the client of the error if no part of an answer is sent yet; else cuts the connection. */
  answer(error: unknown, outgoing: ServerResponse, record: RequestRecord | undefined): void {
    this.#events.emit({ kind: 'server-failed', operation: 'answer a request', error });
    if (record !== undefined) Object.assign(record, { error, outcome: 'error' });
    const isTold = this.guard('tell of a mistake', () => tell(error, outgoing, record?.id ?? ''));
    if (!isTold) outgoing.destroy();
  }
}

function tell(error: unknown, outgoing: ServerResponse, requestId: string): void {
  if (outgoing.headersSent) return void outgoing.destroy();
  const reply = errorReply(error, { kind: undefined, hasFallback: false });
  const whole = withCommonHeaders(reply, requestId, statusOfError(error));
  sendNow(whole, outgoing, { isHead: outgoing.req.method === 'HEAD', idleMs: 0 });
}
