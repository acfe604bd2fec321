import { once } from 'node:events';
import {
  request as requestByHttp,
  type Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { request as requestByHttps } from 'node:https';

export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the answer reached its announced end. */
  readonly complete: boolean;
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: string;
  /** A list goes out as one line per value. */
  readonly headers?: Record<string, string | string[]>;
  /** Absent: a connection of its own. It may name a Unix socket (`socketPath`), or the authorities of https (`ca`). */
  readonly agent?: Agent;
}

/** Sends a request whose path goes out exactly as it is written, and resolves with the headers. */
export async function open(
  base: URL,
  path: string,
  { method = 'GET', headers = {}, agent, body }: RequestOptions = {},
): Promise<IncomingMessage> {
  const address = { host: base.hostname, port: base.port };
  const request = base.protocol === 'https:' ? requestByHttps : requestByHttp;
  const outgoing = request({ ...address, path, method, headers, agent: agent ?? false });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return incoming;
}

/** Sends a request and reads the whole answer, cut or not. */
export async function get(base: URL, path: string, asked: RequestOptions = {}): Promise<ReceivedAnswer> {
  return readAnswer(await open(base, path, asked));
}

/** Reads the rest of an answer, cut or not. */
export async function readAnswer(incoming: IncomingMessage): Promise<ReceivedAnswer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    // A cut answer is a result, too.
  }
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks),
    complete: incoming.complete,
  };
}
