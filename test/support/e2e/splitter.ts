import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** A reverse proxy that makes one registry of two: reads go to one, writes to the other. */
export interface Splitter extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Returns how many requests went to the reader. */
  reads(): number;
}

/**
 * Sends every GET and HEAD to `reader`, and POST, PUT, PATCH, DELETE and all of an upload's own addresses to `writer`.
 * The writer must send its upload addresses as relative ones.
 */
export async function splitter(reader: string, writer: string): Promise<Splitter> {
  const agent = new Agent({ keepAlive: false });
  let reads = 0;
  const server = createServer((incoming, outgoing) => {
    const isRead = goesToReader(incoming);
    if (isRead) reads++;
    void forward(incoming, outgoing, isRead ? reader : writer, agent);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    reads: () => reads,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

function goesToReader({ method, url }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && !/\/blobs\/uploads\//.test(url ?? '');
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  agent: Agent,
): Promise<void> {
  try {
    const { method, url, rawHeaders } = incoming;
    const passed = request(target, { agent, method, path: url, headers: rawHeaders });
    const answered = once(passed, 'response') as Promise<[IncomingMessage]>;
    await Promise.all([pipeline(incoming, passed), answered]);
    const [answer] = await answered;
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    await pipeline(answer, outgoing);
  } catch {
    outgoing.destroy();
  }
}
