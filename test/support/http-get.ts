import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the answer reached its announced end. */
  readonly complete: boolean;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
}

/** Sends a request whose path goes out exactly as it is written, and resolves with the headers. */
export async function open(
  base: URL,
  path: string,
  { method = 'GET', headers = {} }: Asked = {},
): Promise<IncomingMessage> {
  const outgoing = request({ host: base.hostname, port: base.port, path, method, headers, agent: false });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return incoming;
}

/** Sends a request and reads the whole answer, cut or not. */
export async function get(base: URL, path: string, asked: Asked = {}): Promise<Answered> {
  const incoming = await open(base, path, asked);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    // A cut answer is a result like any other here.
  }
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: Buffer.concat(chunks),
    complete: incoming.complete,
  };
}
