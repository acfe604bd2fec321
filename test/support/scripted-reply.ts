import type { IncomingHttpHeaders } from 'node:http';

/** A request as an in-process server saw it, the body already read. */
export interface Incoming {
  readonly method: string;
  /** Decoded path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How the bytes of a reply are sent. Fault verbs change it. */
export interface Delivery {
  /** The gate to wait at before the headers are sent. */
  readonly headersGate?: Gate;
  /** Reset the connection instead of sending headers. */
  readonly reset?: boolean;
  /** The gate that allows bytes of the body. */
  readonly bodyGate?: Gate;
  /** Cut the connection after this many bytes of body. */
  readonly cutAt?: number;
}

/** An answer of a server. It is a value, so that a fault verb is a function from reply to reply. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
  /** Send the body by chunked coding, without Content-Length. */
  readonly chunked?: boolean;
  readonly delivery?: Delivery;
}

/** Makes the reply from the request; a plain Reply serves for every request. */
export type Answer = Reply | ((incoming: Incoming) => Reply | Promise<Reply>);

/** A fault verb: `cutAfter(1000)`. Several are applied from left to right. */
export type Fault = (reply: Reply) => Reply;

type HeaderValues = Readonly<Record<string, string | readonly string[]>>;

/** Makes a reply with only a status, and optionally Retry-After in seconds. */
export function status(
  code: number,
  options: { retryAfter?: number | string; headers?: HeaderValues; body?: string | Uint8Array } = {},
): Reply {
  const retryAfter: HeaderValues =
    options.retryAfter === undefined ? {} : { 'retry-after': String(options.retryAfter) };
  return {
    status: code,
    headers: { ...retryAfter, ...options.headers },
    body: Buffer.from(options.body ?? ''),
  };
}

export function json(value: unknown, options: { status?: number; headers?: HeaderValues } = {}): Reply {
  return {
    status: options.status ?? 200,
    headers: { 'content-type': 'application/json', ...options.headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** Makes a reply with a registry's error document. */
export function registryError(
  code: number,
  errorCode: string,
  options: { message?: string; headers?: HeaderValues } = {},
): Reply {
  return json(
    { errors: [{ code: errorCode, message: options.message ?? errorCode.toLowerCase() }] },
    { status: code, ...(options.headers === undefined ? {} : { headers: options.headers }) },
  );
}

/** Makes a 401 with challenges, one header line each: `challenged('Bearer realm="…",service="…"')`. */
export function challenged(...challenges: readonly string[]): Reply {
  return registryError(401, 'UNAUTHORIZED', {
    message: 'authentication required',
    headers: { 'www-authenticate': challenges },
  });
}

export function redirect(location: string, code = 307): Reply {
  return status(code, { headers: { location } });
}

/**
 * Makes a reply of bytes with an exact Content-Length. It honours a single Range (206 or 416) unless `ranges` is false.
 */
export function bytes(
  content: Uint8Array,
  options: { headers?: HeaderValues; ranges?: boolean } = {},
): Answer {
  return (incoming) => {
    const headers = { 'content-type': 'application/octet-stream', ...options.headers };
    const asked = options.ranges === false ? null : /^bytes=(\d+)-(\d*)$/.exec(incoming.headers.range ?? '');
    if (asked === null) return { status: 200, headers, body: content };
    const start = Number(asked[1]);
    const end = Math.min(asked[2] ? Number(asked[2]) + 1 : content.length, content.length);
    if (start >= end) return status(416, { headers: { 'content-range': `bytes */${content.length}` } });
    const contentRange = `bytes ${start}-${end - 1}/${content.length}`;
    return {
      status: 206,
      headers: { ...headers, 'content-range': contentRange },
      body: content.subarray(start, end),
    };
  };
}

/** Waits for `promise`, but no longer than until `closed` aborts. */
export async function untilClosed(promise: Promise<void>, closed: AbortSignal): Promise<void> {
  if (closed.aborted) return;
  const gone = Promise.withResolvers<void>();
  const leave = (): void => gone.resolve();
  closed.addEventListener('abort', leave);
  try {
    await Promise.race([promise, gone.promise]);
  } finally {
    closed.removeEventListener('abort', leave);
  }
}

/** Holds back the bytes of each reply until the test releases them. */
class Gate {
  #allowed: number;
  #waiting: (() => void)[] = [];
  readonly #reached = Promise.withResolvers<void>();
  /** Resolves when some reply waits here for the first time. */
  readonly reached: Promise<void> = this.#reached.promise;

  constructor(allowed: number) {
    this.#allowed = allowed;
  }

  get allowed(): number {
    return this.#allowed;
  }

  /** Releases this many more bytes of each reply. */
  allow(bytes: number): void {
    this.#allowed += bytes;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Releases everything. */
  release(): void {
    this.allow(Number.POSITIVE_INFINITY);
  }

  /** Waits until more than `position` bytes are allowed, or `closed` aborts. */
  async pass(position: number, closed: AbortSignal): Promise<void> {
    while (this.#allowed <= position && !closed.aborted) {
      this.#reached.resolve();
      await untilClosed(new Promise<void>((resolve) => this.#waiting.push(resolve)), closed);
    }
  }
}

/** A fault that waits for the test. */
export interface Stall extends Fault {
  /** Resolves when a reply waits for the first time. */
  readonly reached: Promise<void>;
  /** Releases this many more bytes of body. */
  allow(bytes: number): void;
  /** Releases everything. */
  release(): void;
}

function stall(gate: Gate, where: 'headersGate' | 'bodyGate'): Stall {
  const fault: Fault = (reply) => ({ ...reply, delivery: { ...reply.delivery, [where]: gate } });
  return Object.assign(fault, {
    reached: gate.reached,
    allow: (bytes: number) => gate.allow(bytes),
    release: () => gate.release(),
  });
}

/** Sends the headers and this many bytes of body, then waits for `release()` (or `allow(n)`: a slow body). */
export function stallAfter(bytes: number): Stall {
  return stall(new Gate(bytes), 'bodyGate');
}

/** Sends nothing, not even headers, until `release()`. */
export function neverRespond(): Stall {
  return stall(new Gate(0), 'headersGate');
}

/** Announces the whole body in its headers, sends this many bytes, and cuts the connection. */
export function cutAfter(bytes: number): Fault {
  return (reply) => ({ ...reply, delivery: { ...reply.delivery, cutAt: bytes } });
}

/** Resets the connection before the headers. */
export function resetBeforeHeaders(): Fault {
  return (reply) => ({ ...reply, delivery: { ...reply.delivery, reset: true } });
}

/** Changes the byte at `position` (default: the middle); the length stays right. */
export function flip(position?: number): Fault {
  return (reply) => {
    const body = Uint8Array.from(reply.body);
    const at = position ?? Math.floor(body.length / 2);
    body[at] = (body[at] ?? 0) ^ 0xff;
    return { ...reply, body };
  };
}

/** Drops the last `bytes` of the body, with a Content-Length that agrees. */
export function shortBody(bytes = 1): Fault {
  return (reply) => ({ ...reply, body: reply.body.subarray(0, Math.max(0, reply.body.length - bytes)) });
}

/** Adds `bytes` to the body, with a Content-Length that agrees. */
export function longBody(bytes = 1): Fault {
  return (reply) => ({ ...reply, body: Buffer.concat([reply.body, Buffer.alloc(bytes, 'x')]) });
}

/** Keeps the right bytes, but with another Docker-Content-Digest. */
export function wrongDigest(): Fault {
  return withHeaders({ 'docker-content-digest': `sha256:${'0'.repeat(64)}` });
}

/** Sends the body with chunked coding, without Content-Length. */
export function chunked(): Fault {
  return (reply) => ({ ...reply, chunked: true });
}

/** Sets headers of the reply; undefined removes one. */
export function withHeaders(headers: Readonly<Record<string, string | undefined>>): Fault {
  return (reply) => {
    const merged = { ...reply.headers, ...headers };
    const kept = Object.entries(merged).filter(([, value]) => value !== undefined);
    return { ...reply, headers: Object.fromEntries(kept) as Reply['headers'] };
  };
}

/** Replaces the whole reply: `instead(status(503))`. */
export function instead(other: Reply): Fault {
  return () => other;
}
