/** A request of the API's client. */
export interface ClientRequest {
  readonly method: string;
  /** With `/api/v1` before it, and the query behind it. */
  readonly path: string;
  /** JSON, or any bytes; absent for requests without a body. */
  readonly body?: string | Uint8Array | undefined;
  readonly headers?: Readonly<Partial<Record<'range' | 'if-range' | 'last-event-id', string>>> | undefined;
  /** Breaks the request off, or the reading of its answer. */
  readonly signal?: AbortSignal | undefined;
}

export interface ClientAnswer {
  readonly status: number;
  /** The body, as it comes. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Takes a request to the API, wherever that is. Rejects with OperatorError if no answer comes. */
export type ApiTransport = (request: ClientRequest) => Promise<ClientAnswer>;
