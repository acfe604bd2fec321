import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessError } from '../../access/access-error.ts';
import type { Action } from '../../access/action.ts';
import { ANONYMOUS, formatPrincipal, type Principal } from '../../access/principal.ts';
import type { Clock } from '../../clock.ts';
import type { Events, ServedRequest } from '../../events.ts';
import { loggedUrl } from './logged-url.ts';
import { Mishaps } from '../mishaps.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Facts about a request, gathered while it is served and told as one event when its response is over. */
export class RequestRecord {
  readonly id: string;
  /** The client's address, perhaps from a trusted proxy. Kept here, since a closed socket has none any more. */
  readonly client: string;
  readonly startedAt: number;
  requestKind: ServedRequest['requestKind'] = 'other';
  /** Who sends it, as far as its credentials prove. */
  principal: Principal = ANONYMOUS;
  /** What the client must be allowed to do; undefined if the request got not that far. */
  action: Action | undefined = undefined;
  upstream: string | undefined = undefined;
  repository: string | undefined = undefined;
  reference: string | undefined = undefined;
  outcome: string | undefined = undefined;
  bytes = 0;
  /** False once an answer was cut. An answer whose connection closed before its end is not complete either. */
  isWhole = true;
  firstByteMs: number | undefined = undefined;
  error: unknown = undefined;
  /** Settles when all fields above are known: the connection may close before that. */
  served: Promise<unknown> | undefined = undefined;
  /** Whether the request counts for the limits of its client. */
  isAdmitted = false;

  constructor(id: string, client: string, startedAt: number) {
    this.id = id;
    this.client = client;
    this.startedAt = startedAt;
  }
}

/** Most characters of a User-Agent in the log: clients may send kilobytes. */
const MAX_USER_AGENT = 512;
/** Most characters of a user in the log: an issuer chooses its subjects. */
const MAX_USER = 256;
const CLIENT_ID = /^[\w.:-]{1,64}$/;

/** The records of running requests. */
export class RequestRecords {
  readonly #records = new WeakMap<IncomingMessage, RequestRecord>();
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #newId: () => string;
  readonly #proxies: TrustedProxies;
  readonly #mishaps: Mishaps;
  #pending: (() => void)[] = [];

  constructor(clock: Clock, events: Events, newId: () => string, proxies: TrustedProxies) {
    this.#clock = clock;
    this.#events = events;
    this.#newId = newId;
    this.#proxies = proxies;
    this.#mishaps = new Mishaps(events);
  }

  /**
   * Begins a record, and tells it when the response is over. Keeps a client's own request id if it is well-formed.
   * @param peer the address of the connection
   * @param onOver called when the response is over, too
   */
  begin(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    peer: string,
    onOver: (record: RequestRecord) => void,
  ): RequestRecord {
    const clientId = incoming.headers['x-request-id'];
    const id = typeof clientId === 'string' && CLIENT_ID.test(clientId) ? clientId : this.#newId();
    const client = this.#proxies.clientOf(peer, incoming.headers);
    const record = new RequestRecord(id, client, this.#clock.monotonic());
    outgoing.on('close', () => {
      onOver(record);
      this.#end(record, incoming, outgoing);
    });
    return record;
  }

  /** Keeps a record for handlers that get only the request. */
  keep(incoming: IncomingMessage, record: RequestRecord): void {
    this.#records.set(incoming, record);
  }

  of(incoming: IncomingMessage): RequestRecord {
    const record = this.#records.get(incoming);
    if (record === undefined) throw new Error('the request has no record');
    return record;
  }

  /** Returns the milliseconds since the request began, rounded to microseconds. */
  msSince({ startedAt }: RequestRecord): number {
    return Math.round(1000 * (this.#clock.monotonic() - startedAt)) / 1000;
  }

  #end(record: RequestRecord, incoming: IncomingMessage, outgoing: ServerResponse): void {
    // Read now: bytes that are written to a closed response look finished later.
    const isFinished = outgoing.writableFinished;
    const durationMs = this.msSince(record);
    const tell = (): void => {
      const { statusCode } = outgoing;
      this.#mishaps.guard('log a request', () =>
        this.#tell(record, incoming, statusCode, isFinished, durationMs),
      );
    };
    if (record.served === undefined) this.#tellSoon(tell);
    else record.served.then(tell, tell);
  }

  /** Tells records together, at the end of the turn: no answer waits for another's log line, and batches cost less. */
  #tellSoon(tell: () => void): void {
    if (this.#pending.push(tell) > 1) return;
    setImmediate(() => {
      const pending = this.#pending;
      this.#pending = [];
      for (const each of pending) each();
    });
  }

  #tell(
    record: RequestRecord,
    incoming: IncomingMessage,
    status: number,
    isFinished: boolean,
    durationMs: number,
  ): void {
    const user = userOf(record);
    if (record.error instanceof AccessError) this.#tellDenied(record, record.error, user);
    this.#events.emit({
      kind: 'request-served',
      request: {
        id: record.id,
        client: record.client,
        user,
        userAgent: (incoming.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT),
        method: incoming.method ?? '',
        url: loggedUrl(incoming.url ?? ''),
        requestKind: record.requestKind,
        upstream: record.upstream,
        repository: record.repository,
        reference: record.reference,
        outcome: record.outcome,
        status,
        bytes: record.bytes,
        complete: record.isWhole && isFinished,
        firstByteMs: record.firstByteMs,
        durationMs,
        error: record.error,
      },
    });
  }

  #tellDenied(record: RequestRecord, { failure }: AccessError, user: string | undefined): void {
    const { id, client, action, upstream, repository } = record;
    this.#events.emit({ kind: 'access-denied', id, client, user, failure, action, upstream, repository });
  }
}

/** Returns the user for the log; undefined for a client that has not said who it is. */
function userOf({ principal }: RequestRecord): string | undefined {
  if (principal.kind === 'anonymous') return undefined;
  return formatPrincipal(principal).slice(0, MAX_USER);
}
