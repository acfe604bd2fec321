import { once } from 'node:events';
import {
  Agent,
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { deform, type Fault } from './fault.ts';

/** A request as the registry behind the proxy saw it. */
export interface SeenRequest {
  readonly method: string;
  /** The path without its query. */
  readonly path: string;
  readonly kind: 'ping' | 'manifest' | 'blob' | 'tags' | 'referrers' | 'other';
  /** The tag or digest that the path ends with, for manifests, blobs and referrers. */
  readonly reference: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The digest of the answered content, as the registry tells it; undefined until the answer comes. */
  contentDigest: string | undefined;
  /** The status of the answer; 0 until it comes. */
  status: number;
  /** Bytes of body sent on. */
  bytes: number;
}

/** A reverse proxy before a registry, which records the requests and can spoil the answers. */
export interface CountingProxy extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Returns the number of connections accepted so far, with or without requests. */
  connections(): number;
  /** Forgets the requests and connections so far. */
  clear(): void;
  /** Sets a function that chooses the fault of each request; undefined passes the request on as it is. */
  spoil(fault: (request: SeenRequest) => Fault | undefined): void;
  /** Passes all requests on again. */
  heal(): void;
  /** Refuses connections from now on, and cuts those that are open. */
  close(): Promise<void>;
}

/** Starts the proxy. @param routes other servers by the prefixes of their paths, such as a token server */
export async function countingProxy(
  target: string,
  routes: Readonly<Record<string, string>> = {},
): Promise<CountingProxy> {
  const requests: SeenRequest[] = [];
  const agent = new Agent({ keepAlive: true });
  let connections = 0;
  let faultOf: (request: SeenRequest) => Fault | undefined = () => undefined;
  const server = createServer((incoming, outgoing) => {
    const seen = seenRequest(incoming);
    requests.push(seen);
    void forward(incoming, outgoing, { seen, agent, fault: faultOf(seen), target: targetOf(seen.path) });
  });
  const targetOf = (path: string): string =>
    Object.entries(routes).find(([prefix]) => path.startsWith(prefix))?.[1] ?? target;
  server.on('connection', () => connections++);
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => connections,
    clear() {
      requests.length = 0;
      connections = 0;
    },
    spoil: (fault) => (faultOf = fault),
    heal: () => (faultOf = () => undefined),
    close: async () => close(server),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await close(server);
    },
  };
}

interface Forwarding {
  readonly seen: SeenRequest;
  readonly agent: Agent;
  readonly fault: Fault | undefined;
  readonly target: string;
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { seen, agent, fault, target }: Forwarding,
): Promise<void> {
  try {
    await fault?.gate;
    const headers = { ...incoming.headers };
    if (fault?.deform !== undefined) delete headers.range;
    const passed = request(target, { agent, method: seen.method, path: incoming.url, headers });
    incoming.pipe(passed);
    const [response] = (await once(passed, 'response')) as [IncomingMessage];
    const answer = deform(response, fault);
    seen.status = answer.status;
    seen.contentDigest = response.headers['docker-content-digest']?.toString();
    outgoing.writeHead(answer.status, answer.headers);
    outgoing.flushHeaders();
    await pipeline(answer.body, count(seen), outgoing);
  } catch {
    // The registry or the client went away, or the fault says to cut: in each case the connection is cut.
    if (fault?.resetAfter !== undefined) outgoing.socket?.resetAndDestroy();
    outgoing.destroy();
  }
}

function count(seen: SeenRequest) {
  return async function* (body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      seen.bytes += chunk.length;
      yield chunk;
    }
  };
}

function seenRequest(incoming: IncomingMessage): SeenRequest {
  const path = decodeURIComponent((incoming.url ?? '/').split('?', 1)[0] ?? '/');
  const [, kind, reference] = /\/(manifests|blobs|referrers)\/([^/]+)$/.exec(path) ?? [];
  return {
    method: incoming.method ?? '',
    path,
    kind: kindOf(path, kind),
    reference,
    headers: incoming.headers,
    contentDigest: undefined,
    status: 0,
    bytes: 0,
  };
}

function kindOf(path: string, segment: string | undefined): SeenRequest['kind'] {
  if (segment === 'manifests') return 'manifest';
  if (segment === 'blobs') return 'blob';
  if (segment === 'referrers') return 'referrers';
  if (path.endsWith('/tags/list')) return 'tags';
  return path === '/v2/' ? 'ping' : 'other';
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
