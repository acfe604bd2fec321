import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Events, ServedRequest } from '../events.ts';

/** What becomes known of a request while it is served; told as one event when its connection is done with it. */
export interface RequestRecord {
  readonly id: string;
  readonly startedAt: number;
  requestKind: ServedRequest['requestKind'];
  upstream?: string;
  repository?: string;
  reference?: string;
  outcome?: string;
  bytes: number;
  /** False once an answer was cut; a connection that closes before its answer ended is not complete either. */
  isWhole: boolean;
  firstByteMs?: number;
  error?: unknown;
  /** Settles once all of the above is known: the connection may be closed before that. */
  served?: Promise<unknown>;
}

const CLIENT_ID = /^[\w.:-]{1,64}$/;

/** The records of running requests. */
export class RequestRecords {
  readonly #records = new WeakMap<IncomingMessage, RequestRecord>();
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #newId: () => string;

  constructor(clock: Clock, events: Events, newId: () => string) {
    this.#clock = clock;
    this.#events = events;
    this.#newId = newId;
  }

  /** Begins a record, and tells it when the response is over. A client's own request id is kept if it is sane. */
  begin(incoming: IncomingMessage, outgoing: ServerResponse): RequestRecord {
    const given = incoming.headersDistinct['x-request-id']?.[0];
    const record: RequestRecord = {
      id: given !== undefined && CLIENT_ID.test(given) ? given : this.#newId(),
      startedAt: this.#clock.monotonic(),
      requestKind: 'other',
      bytes: 0,
      isWhole: true,
    };
    this.#records.set(incoming, record);
    // Once the socket is closed it has no address any more.
    const client = incoming.socket.remoteAddress ?? '';
    outgoing.once('close', () => {
      // Now: what is written to a closed response looks finished later on.
      void this.#tell(record, client, incoming, outgoing, outgoing.writableFinished);
    });
    return record;
  }

  of(incoming: IncomingMessage): RequestRecord {
    const record = this.#records.get(incoming);
    if (record === undefined) throw new Error('the request has no record');
    return record;
  }

  async #tell(
    record: RequestRecord,
    client: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    isFinished: boolean,
  ): Promise<void> {
    const durationMs = this.#clock.monotonic() - record.startedAt;
    await record.served?.catch(() => undefined);
    const { startedAt: _, served: __, isWhole, ...known } = record;
    this.#events.emit({
      kind: 'request-served',
      request: {
        ...known,
        client,
        userAgent: incoming.headers['user-agent'] ?? '',
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        status: outgoing.statusCode,
        complete: isWhole && isFinished,
        durationMs,
      },
    });
  }
}
