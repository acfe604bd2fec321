/**
 * A mirror of some registries, for tests that each play one client: they send what that client sends, over connections
 * that it keeps, and look at the requests that upstream got meanwhile.
 *
 *     await using world = await startClientWorld();
 *     const containerd = world.client({ 'user-agent': 'containerd/2.1.4' });
 *     const answer = await containerd.head('/v2/library/debian/manifests/12?ns=docker.io', { accept });
 *     expect(requestsOf(world.hub)).toEqual(['HEAD /v2/library/debian/manifests/12']);
 */
import { Agent, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TagPolicy } from '../../src/mirror/tag-policy.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import type { RoutedUpstream } from '../../src/app/repositories.ts';
import { startFakeRegistry, type FakeRegistry, type FakeRegistryOptions } from './fake-registry.ts';
import { open, readAnswer, type ReceivedAnswer, type RequestOptions } from './http-get.ts';
import { startMirror, type MirrorFixture } from './mirror-fixture.ts';

type Headers = NonNullable<RequestOptions['headers']>;

export interface ClientWorldOptions {
  /** The mirrored registries; the first is the default upstream. */
  readonly names?: readonly string[];
  readonly registry?: FakeRegistryOptions;
  readonly tags?: Partial<TagPolicy>;
  readonly isAllowed?: RoutedUpstream['isAllowed'];
}

export interface ClientWorld extends AsyncDisposable {
  readonly mirror: MirrorFixture;
  /** Docker Hub, the default upstream unless `names` says otherwise. */
  readonly hub: FakeRegistry;
  registry(name: string): FakeRegistry;
  /** Makes a client that sends `headers` with every request. @param connections the most that it opens */
  client(headers: Headers, connections?: number): WireClient;
}

export async function startClientWorld(options: ClientWorldOptions = {}): Promise<ClientWorld> {
  const { names = ['docker.io', 'ghcr.io'], tags = {}, isAllowed = () => true } = options;
  const registries = new Map<string, FakeRegistry>();
  for (const name of names) registries.set(name, await startFakeRegistry(options.registry));
  const upstreams = [...registries].map(([name, registry]) => ({
    name,
    registry,
    tags,
    isAllowed,
    addLibrary: name === 'docker.io',
  }));
  const mirror = await startMirror({ upstreams });
  const agents: Agent[] = [];
  const registry = (name: string): FakeRegistry => {
    const found = registries.get(name);
    if (found === undefined) throw new Error(`${name} is not mirrored`);
    return found;
  };
  return {
    mirror,
    get hub() {
      return registry('docker.io');
    },
    registry,
    client(headers, connections = 1) {
      const agent = new Agent({ keepAlive: true, maxSockets: connections });
      agents.push(agent);
      return new WireClient(mirror.url, agent, headers);
    },
    async [Symbol.asyncDispose]() {
      for (const agent of agents) agent.destroy();
      await mirror[Symbol.asyncDispose]();
      for (const fake of registries.values()) await fake[Symbol.asyncDispose]();
    },
  };
}

/** A client that sends exactly what the test says. */
export class WireClient {
  readonly #base: URL;
  readonly #agent: Agent;
  readonly #headers: Headers;
  readonly #sockets = new Set<Socket>();

  constructor(base: URL, agent: Agent, headers: Headers) {
    this.#base = base;
    this.#agent = agent;
    this.#headers = headers;
  }

  /** Number of connections that it has opened so far. */
  get connections(): number {
    return this.#sockets.size;
  }

  async get(path: string, headers: Headers = {}): Promise<ReceivedAnswer> {
    return readAnswer(await this.#send('GET', path, headers));
  }

  async head(path: string, headers: Headers = {}): Promise<ReceivedAnswer> {
    return readAnswer(await this.#send('HEAD', path, headers));
  }

  /** Sends a GET and reads only the headers. */
  open(path: string, headers: Headers = {}): Promise<IncomingMessage> {
    return this.#send('GET', path, headers);
  }

  async #send(method: string, path: string, headers: Headers): Promise<IncomingMessage> {
    const all = { ...this.#headers, ...headers };
    const incoming = await open(this.#base, path, { method, headers: all, agent: this.#agent });
    this.#sockets.add(incoming.socket);
    return incoming;
  }
}

/** Returns the requests that a registry got, in order: `GET /v2/library/debian/manifests/12`. */
export function requestsOf(registry: FakeRegistry): string[] {
  return registry.requests.map(({ method, path }) => `${method} ${path}`);
}

/** The facts by which clients check an answer. */
export interface Identity {
  readonly status: number;
  /** Computed from the bytes that came. */
  readonly digest: Digest;
  readonly contentLength: string | undefined;
  readonly dockerContentDigest: unknown;
  readonly contentEncoding: string | undefined;
  readonly complete: boolean;
}

export function identityOf({ status, headers, body, complete }: ReceivedAnswer): Identity {
  return {
    status,
    digest: digestOf(body),
    contentLength: headers['content-length'],
    dockerContentDigest: headers['docker-content-digest'],
    contentEncoding: headers['content-encoding'],
    complete,
  };
}

/** Returns the identity of a whole answer with the content of the descriptor. */
export function wholeOf({ digest, size }: { readonly digest: Digest; readonly size: number }): Identity {
  return {
    status: 200,
    digest,
    contentLength: String(size),
    dockerContentDigest: digest,
    contentEncoding: undefined,
    complete: true,
  };
}

/** Reads `count` bytes of an answer and closes the connection, as a client does that wants no more. */
export async function readThenLeave(incoming: IncomingMessage, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of incoming) {
    chunks.push(chunk as Buffer);
    received += (chunk as Buffer).length;
    if (received >= count) break;
  }
  incoming.destroy();
  return Buffer.concat(chunks).subarray(0, count);
}
