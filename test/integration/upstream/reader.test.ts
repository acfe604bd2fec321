/** The reader for large bodies on real sockets. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createEvents } from '../../../src/events.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { createUpstream } from '../../../src/upstream/create-upstream.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Random } from '../../support/random.ts';
import { createCertificateAuthority } from '../../support/tls.ts';
import { readBlob, repo } from '../../support/upstream-content.ts';

const HOST = 'registry.example.com';
const app = repo('team/app');
const BYTES = new Random(7).bytes(6 * 1024 * 1024);
const DIGEST = digestOf(BYTES);
const LARGE = { describedSize: BYTES.length };
const OK = `HTTP/1.1 200 OK\r\nContent-Length: ${BYTES.length}\r\n\r\n`;

type Answer = (socket: Socket, nth: number) => void | Promise<void>;

/** A server that answers each request by hand, and a client of it. */
class World implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork().name(HOST, '8.8.8.8');
  readonly upstream: Upstream;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  constructor(server: Server, sockets: ReadonlySet<Socket>, scheme: string, ca: string, connections = 64) {
    this.#server = server;
    this.#sockets = sockets;
    const url = new URL(`${scheme}://${HOST}:${(server.address() as AddressInfo).port}`);
    const timeouts = { connectMs: 1_000, headersMs: 1_000, bodyMs: 1_000 };
    this.upstream = createUpstream(
      { name: 'x', url, ca, timeouts, connections, userAgent: 'x' },
      { clock: this.clock, events: createEvents(), network: this.network },
    );
  }

  /** Number of connections that were opened: of the reader, and of undici. */
  get connections(): { readonly reader: number; readonly undici: number } {
    const { read, dialled } = this.network;
    return { reader: read, undici: dialled.length - read };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.upstream.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    if (this.clock.pending > 0) throw new Error('a timer is left behind');
  }
}

async function start(
  answer: Answer,
  scheme: 'http' | 'https' = 'http',
  connections?: number,
): Promise<World> {
  const authority = createCertificateAuthority();
  const sockets = new Set<Socket>();
  let requests = 0;
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      requests += 1;
      void answer(socket, requests);
    });
  };
  const server = scheme === 'http' ? createServer(serve) : createTlsServer(authority.issue([HOST]), serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new World(server, sockets, scheme, authority.certificate, connections);
}

/** Starts a server without TLS; the client may expect one. */
async function startPlain(scheme: 'http' | 'https', answer: (socket: Socket) => void): Promise<World> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new World(server, sockets, scheme, createCertificateAuthority().certificate);
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await nextTurn();
}

/** Sends the bytes in bursts, some of them of a few bytes, with pauses of some turns of the event loop. */
async function inBursts(socket: Socket, seed: number): Promise<void> {
  const random = new Random(seed);
  socket.write(OK);
  for (let at = 0; at < BYTES.length && !socket.destroyed;) {
    const [kind = 0, most = 0, pause = 0] = random.bytes(3);
    const burst = kind < 60 ? most + 1 : most * (kind < 160 ? 256 : 4_096);
    const isFlushed = socket.write(BYTES.subarray(at, at + burst));
    at += burst;
    if (!isFlushed) await once(socket, 'drain');
    if (pause < 100) await turns(pause % 5);
  }
}

describe.each(['http', 'https'] as const)('by %s', (scheme) => {
  test.each([1, 2, 3])(
    'no byte changes while a slow disk writes it, however the bytes come (%i)',
    async (seed) => {
      await using world = await start((socket) => inBursts(socket, seed), scheme);
      const random = new Random(seed + 100);
      const hash = createHash('sha256');
      const { body, size } = await world.upstream.blob(app, DIGEST, LARGE);
      for await (const pieces of body) {
        const came = Buffer.concat(pieces);
        const [kind = 0, wait = 0] = random.bytes(2);
        await turns(kind < 128 ? 0 : wait);
        expect(came.equals(Buffer.concat(pieces))).toBe(true);
        hash.update(came);
      }
      expect([size, `sha256:${hash.digest('hex')}`]).toEqual([BYTES.length, DIGEST]);
      expect(world.connections).toEqual({ reader: 1, undici: 0 });
    },
  );

  test('a connection is used for one blob after the other', async () => {
    await using world = await start(
      (socket) => void socket.write(Buffer.concat([Buffer.from(OK), BYTES])),
      scheme,
    );
    for (let n = 0; n < 8; n += 1) {
      const { body } = await world.upstream.blob(app, DIGEST, LARGE);
      expect(digestOf(await readBlob({ body, start: 0, size: undefined }))).toBe(DIGEST);
    }
    expect(world.connections).toEqual({ reader: 1, undici: 0 });
  });

  test('a body that is destroyed ends its connection', async () => {
    const gone = Promise.withResolvers<void>();
    await using world = await start((socket) => {
      socket.once('close', () => gone.resolve());
      socket.write(OK);
      socket.write(BYTES.subarray(0, 1_000));
    }, scheme);
    const { body } = await world.upstream.blob(app, DIGEST, LARGE);
    body.destroy();
    await gone.promise;
  });
});

test.each([
  ['while TLS is being agreed', 'https', '', false],
  ['after the request', 'http', '', false],
  ['in the head', 'http', 'HTTP/1.1 200 OK\r\nContent-Le', false],
  ['in the body', 'http', `${OK}${'x'.repeat(1_000)}`, true],
  ['while the consumer is behind', 'http', `${OK}${'x'.repeat(5_000_000)}`, true],
] as const)('a request that is given up %s ends its connection', async (_, scheme, text, isAnswered) => {
  const came = Promise.withResolvers<Socket>();
  // By https this is no server of TLS: it leaves the first message of the handshake unanswered.
  await using world = await startPlain(scheme, (socket) => {
    socket.write(text);
    came.resolve(socket);
  });
  const given = new AbortController();
  const asked = world.upstream.blob(app, DIGEST, { ...LARGE, signal: given.signal }).then(
    () => 'answered',
    ({ reason }: { reason: string }) => reason,
  );
  const socket = await came.promise;
  if (isAnswered) await asked;
  await turns(20);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  given.abort();
  await closed;
  expect(await asked).toBe(isAnswered ? 'answered' : 'cancelled');
  expect(world.clock.pending).toBe(0);
});

const WHOLE = Buffer.concat([Buffer.from(OK), BYTES]);

test('a connection whose answer did not end exactly is not used again', async () => {
  await using world = await start((socket) => void socket.write(Buffer.concat([WHOLE, Buffer.from('x')])));
  for (let n = 0; n < 2; n += 1) {
    expect(digestOf(await readBlob(await world.upstream.blob(app, DIGEST, LARGE)))).toBe(DIGEST);
  }
  expect(world.connections).toEqual({ reader: 2, undici: 0 });
});

test('an idle connection is closed after a while', async () => {
  await using world = await start((socket) => void socket.write(WHOLE));
  await readBlob(await world.upstream.blob(app, DIGEST, LARGE));
  await expect.poll(() => world.clock.pending).toBe(1);
  world.clock.advance(4_000);
  await readBlob(await world.upstream.blob(app, DIGEST, LARGE));
  expect(world.connections.reader).toBe(2);
});

test('a kept connection that the server closes under the next request costs a new one', async () => {
  await using world = await start((socket, nth) => {
    if (nth === 2) socket.destroy();
    else socket.write(WHOLE);
  });
  for (let n = 0; n < 2; n += 1) {
    expect(digestOf(await readBlob(await world.upstream.blob(app, DIGEST, LARGE)))).toBe(DIGEST);
  }
  expect(world.connections).toEqual({ reader: 2, undici: 0 });
});

test('an answer of another form is read by undici, and then so are all of that server for ten minutes', async () => {
  const folded = Buffer.concat([Buffer.from(OK.replace('\r\n\r\n', '\r\nX: y\r\n z\r\n\r\n')), BYTES]);
  await using world = await start((socket) => void socket.write(folded));
  const fetch = async (): Promise<void> => {
    expect(digestOf(await readBlob(await world.upstream.blob(app, DIGEST, LARGE)))).toBe(DIGEST);
  };
  await fetch();
  expect(world.connections).toEqual({ reader: 1, undici: 1 });
  await fetch();
  expect(world.connections.reader).toBe(1);
  world.clock.advance(10 * 60_000);
  await fetch();
  expect(world.connections.reader).toBe(2);
});

test('chunks of another form break the transfer, and undici reads the next answer', async () => {
  const extended = Buffer.concat([
    Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
    Buffer.from(`${BYTES.length.toString(16)};x=y\r\n`),
    BYTES,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
  await using world = await start((socket) => void socket.write(extended));
  const first = await world.upstream.blob(app, DIGEST, LARGE);
  await expect(readBlob(first)).rejects.toMatchObject({ failure: 'unavailable', reason: 'content' });
  expect(digestOf(await readBlob(await world.upstream.blob(app, DIGEST, LARGE)))).toBe(DIGEST);
  expect(world.connections).toEqual({ reader: 1, undici: 1 });
});

test.each([
  ['small', 1024 * 1024 - 1],
  ['of unknown size', undefined],
])('a blob that is %s is read by undici', async (_, describedSize) => {
  await using world = await start((socket) => void socket.write(WHOLE));
  await readBlob(await world.upstream.blob(app, DIGEST, { describedSize }));
  expect(world.connections).toEqual({ reader: 0, undici: 1 });
});

test.each([{ describedSize: undefined }, LARGE])(
  'its connections count among all of a host: %j',
  async (options) => {
    await using world = await start((socket) => void socket.write(WHOLE), 'http', 1);
    const first = await world.upstream.blob(app, DIGEST, LARGE);
    const next = world.upstream.blob(app, DIGEST, options);
    await turns(50);
    expect(world.network.dialled).toHaveLength(1);
    expect(digestOf(await readBlob(first))).toBe(DIGEST);
    expect(digestOf(await readBlob(await next))).toBe(DIGEST);
  },
);
