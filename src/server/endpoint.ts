import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Deliver, Delivered } from '../delivery/deliver.ts';
import type { RegistryError } from '../oci/error.ts';
import type { Admission, Overload } from './admission.ts';
import { statusOfError } from './v2/cache-status.ts';
import { withCommonHeaders } from './common-headers.ts';
import { errorReply, overloadReply } from './error-reply.ts';
import type { Registry } from './v2/registry.ts';
import { sendFlat, sendReply, type Reply } from './reply.ts';
import type { RequestRecord, RequestRecords } from './request/request-record.ts';
import type { TokenEndpoint } from './token/token-endpoint.ts';

export interface EndpointOptions {
  readonly registry: Pick<Registry, 'reply' | 'replyNow'>;
  readonly tokens: Pick<TokenEndpoint, 'reply'>;
  readonly records: RequestRecords;
  readonly admission: Admission;
  /** The longest that a client may take nothing of an answer, milliseconds. */
  readonly idleMs: number;
  /** Sends blobs to clients. */
  readonly deliver: Deliver;
}

/** Passes requests to the registry and to the token endpoint: admits each, has it answered, sends the answer, and notes it in its record. */
export class Endpoint {
  readonly #options: EndpointOptions;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /**
   * Answers a request that takes neither I/O nor waiting (docs/adr/0009).
   * @returns whether it did; if not, nothing has been done, and the caller calls `answer`
   */
  answerNow(incoming: IncomingMessage, outgoing: ServerResponse, record: RequestRecord): boolean {
    const { registry, records, idleMs } = this.#options;
    try {
      const reply = registry.replyNow(incoming, record);
      // `answer` refuses a request that may not be served now.
      if (reply === undefined || this.#admit(record) !== undefined) return false;
      record.firstByteMs = records.msSince(record);
      note(record, sendFlat(reply, outgoing, { isHead: incoming.method === 'HEAD', idleMs }));
    } catch (error) {
      record.served = this.#answerUnforeseen(error, outgoing, record);
    }
    return true;
  }

  /** Answers a request to one of the two. Never rejects. */
  answer(
    to: 'registry' | 'tokens',
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    record: RequestRecord,
  ): Promise<void> {
    const served = this.#serve(this.#options[to], incoming, outgoing, record).catch((error: unknown) =>
      this.#answerUnforeseen(error, outgoing, record),
    );
    record.served = served;
    return served;
  }

  /** Refuses a request that cannot be asked, or not now, and closes the connection. */
  refuse(outgoing: ServerResponse, record: RequestRecord, error: RegistryError): void {
    record.error = error;
    const reply = errorReply(error, { kind: undefined, hasFallback: false });
    const retryAfter = error.code === 'UNAVAILABLE' ? { 'Retry-After': '1' } : {};
    const closing = { ...reply, headers: { ...reply.headers, ...retryAfter, Connection: 'close' } };
    record.served = this.#send(withCommonHeaders(closing, record.id, statusOfError(error)), outgoing).then(
      (delivered) => note(record, delivered),
      (failure: unknown) => this.#answerUnforeseen(failure, outgoing, record),
    );
  }

  /** Stops counting a request for the limits. The caller calls it when the response is over. */
  release({ isAdmitted, client }: RequestRecord): void {
    if (isAdmitted) this.#options.admission.leave(client);
  }

  async #serve(
    to: Pick<TokenEndpoint, 'reply'>,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    record: RequestRecord,
  ): Promise<void> {
    const { records } = this.#options;
    const refusal = this.#admit(record);
    const reply = refusal === undefined ? await to.reply(incoming, record) : overloadReply(refusal, record);
    // A client that has gone gets no byte.
    if (!outgoing.destroyed) record.firstByteMs = records.msSince(record);
    note(record, await this.#send(reply, outgoing));
  }

  #admit(record: RequestRecord): Overload | undefined {
    const refusal = this.#options.admission.enter(record.client);
    record.isAdmitted = refusal === undefined;
    return refusal;
  }

  /** The last resort, which must not throw itself: that would end the program. */
  async #answerUnforeseen(error: unknown, outgoing: ServerResponse, record: RequestRecord): Promise<void> {
    record.outcome = 'error';
    record.error = error;
    const reply = errorReply(error, { kind: undefined, hasFallback: false });
    try {
      const delivered = await this.#send(withCommonHeaders(reply, record.id, statusOfError(error)), outgoing);
      record.bytes = delivered.bytes;
    } catch {
      // A part of an answer is sent already, so the error cannot be answered any more.
      record.isWhole = false;
      outgoing.destroy();
    }
  }

  #send(reply: Reply, outgoing: ServerResponse): Promise<Delivered> {
    const { idleMs, deliver } = this.#options;
    return sendReply(reply, outgoing, { isHead: outgoing.req.method === 'HEAD', idleMs, deliver });
  }
}

function note(record: RequestRecord, { bytes, complete, error }: Delivered): void {
  record.bytes = bytes;
  record.isWhole = complete;
  if (error !== undefined) record.error = error;
}
