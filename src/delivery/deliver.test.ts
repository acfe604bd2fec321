import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bytesOf, ScriptedReader } from '../../test/support/scripted-reader.ts';
import { deliver, type Delivered } from './deliver.ts';

const KiB = 1024;
const SLICE = 256 * KiB;
const SIZE = 3 * SLICE + 12_345;

interface Delivery {
  readonly reader: ScriptedReader;
  readonly start?: number;
  /** Undefined: to the end, by chunked coding. */
  readonly end?: number | undefined;
}

interface Served {
  readonly port: number;
  /** Of each request, in order: what `deliver` said. */
  readonly delivered: Promise<Delivered>;
  readonly response: Promise<ServerResponse>;
}

/** A server that answers every request by one delivery. */
async function serve({ reader, start = 0, end }: Delivery): Promise<Served> {
  const delivered = Promise.withResolvers<Delivered>();
  const response = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, outgoing) => {
    response.resolve(outgoing);
    outgoing.writeHead(200, end === undefined ? {} : { 'content-length': end - start });
    outgoing.flushHeaders();
    deliver(reader, start, end, outgoing).then(delivered.resolve, delivered.reject);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, delivered: delivered.promise, response: response.promise };
}

async function open(port: number, agent: Agent | false = false): Promise<IncomingMessage> {
  const [incoming] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [IncomingMessage];
  return incoming;
}

interface Received {
  readonly body: Buffer;
  /** Whether a client would take it for the whole. */
  readonly complete: boolean;
}

async function receive(incoming: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    // That it was cut is told by `complete`.
  }
  return { body: Buffer.concat(chunks), complete: incoming.complete };
}

async function pull(delivery: Delivery): Promise<Received & { readonly delivered: Delivered }> {
  const { port, delivered } = await serve(delivery);
  const received = await receive(await open(port));
  return { ...received, delivered: await delivered };
}

function same(actual: Buffer, expected: Buffer): boolean {
  return actual.equals(expected);
}

describe('what is sent', () => {
  test.each<[string, number, number | undefined]>([
    ['the whole', 0, SIZE],
    ['the whole of a blob whose size is not known', 0, undefined],
    ['a part', SLICE - 7, 2 * SLICE + 7],
    ['a part within one slice', 100, 101],
    ['the rest', SIZE - 1, SIZE],
    ['the rest of a blob whose size is not known', SIZE - 1, undefined],
    ['exactly a slice', 0, SLICE],
    ['exactly two', 0, 2 * SLICE],
    ['nothing', 0, 0],
  ])('%s', async (_, start, end) => {
    const reader = new ScriptedReader(SIZE);
    const { body, complete, delivered } = await pull({ reader, start, end });
    expect(delivered).toEqual({ bytes: (end ?? SIZE) - start, complete: true });
    expect(complete).toBe(true);
    expect(same(body, bytesOf(start, end ?? SIZE))).toBe(true);
    expect(reader.furthest).toBeLessThanOrEqual(end ?? SIZE);
  });

  test('any part, however little a read gives and however the bytes arrive', async () => {
    const scenario = fc.record({
      size: fc.nat(2_000),
      from: fc.nat(2_000),
      length: fc.nat(2_000),
      perRead: fc.integer({ min: 1, max: 700 }),
      arrivals: fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ size, from, length, perRead, arrivals }) => {
        const start = Math.min(from, size);
        const end = Math.min(start + length, size);
        const reader = new ScriptedReader(size, { perRead, available: 0 });
        const pulled = pull({ reader, start, end });
        for (const bytes of arrivals) reader.arrive(bytes);
        reader.arrive(size);
        const { body, complete, delivered } = await pulled;
        expect([complete, delivered.complete, delivered.bytes]).toEqual([true, true, end - start]);
        expect(same(body, bytesOf(start, end))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('the first bytes leave before the last ones are there', async () => {
    const reader = new ScriptedReader(SIZE, { available: 10 });
    const { port, delivered } = await serve({ reader, end: SIZE });
    const incoming = await open(port);
    const [first] = (await once(incoming, 'data')) as [Buffer];
    expect(same(first, bytesOf(0, 10))).toBe(true);
    reader.arrive(SIZE);
    const rest = await receive(incoming);
    expect(rest.complete).toBe(true);
    expect(await delivered).toEqual({ bytes: SIZE, complete: true });
  });

  test('one connection serves one after the other', async () => {
    const reader = new ScriptedReader(SIZE);
    const { port } = await serve({ reader, end: SIZE });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const sockets = new Set<Socket>();
    for (let time = 0; time < 3; time += 1) {
      const incoming = await open(port, agent);
      sockets.add(incoming.socket);
      expect(await receive(incoming)).toMatchObject({ complete: true, body: { length: SIZE } });
    }
    expect(sockets.size).toBe(1);
  });
});

describe('a client that reads slowly', () => {
  /** Sends a request and reads nothing of the answer. */
  async function ask(port: number): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return socket;
  }

  /** Waits until nobody reads any more: what the kernel takes for a client that reads nothing is taken. */
  async function untilStill(reader: ScriptedReader): Promise<void> {
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = reader.furthest === before && before > 0;
          before = reader.furthest;
          return isStill;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
  }

  test('takes two slices of memory, however large the blob is', { timeout: 20_000 }, async () => {
    const size = 1024 ** 3;
    const reader = new ScriptedReader(size);
    const { port, response, delivered } = await serve({ reader, end: size });
    const socket = await ask(port);
    const outgoing = await response;
    await untilStill(reader);
    // Of the slices that were read, one waits in Node for room in the socket and one waits for that one.
    expect(outgoing.writableLength).toBeLessThanOrEqual(SLICE + KiB);
    expect([...reader.buffers].map(({ byteLength }) => byteLength)).toEqual([SLICE, SLICE]);
    expect(reader.furthest).toBeLessThan(64 * KiB * KiB);
    const { reads } = reader;
    socket.destroy();
    expect(await delivered).toMatchObject({ complete: false });
    expect(reader.reads).toBeLessThanOrEqual(reads + 1);
  });

  test('gets the right bytes all the same: none is overwritten before it has left', async () => {
    const size = 40 * SLICE + 1;
    const reader = new ScriptedReader(size);
    const { port, delivered } = await serve({ reader, end: size });
    const incoming = await open(port);
    await untilStill(reader);
    const { body, complete } = await receive(incoming);
    expect(complete).toBe(true);
    expect(same(body, bytesOf(0, size))).toBe(true);
    expect(await delivered).toEqual({ bytes: size, complete: true });
  });
});

describe('a client that leaves', () => {
  test.each([0, 1, SLICE, 2 * SLICE + 1, SIZE - 1])(
    'after %i bytes: the delivery ends, and it is nobody’s fault',
    async (bytes) => {
      const reader = new ScriptedReader(SIZE, { available: bytes });
      const { port, delivered } = await serve({ reader, end: SIZE });
      const incoming = await open(port);
      for (let received = 0; received < bytes;) {
        const [chunk] = (await once(incoming, 'data')) as [Buffer];
        received += chunk.length;
      }
      incoming.destroy();
      const result = await delivered;
      expect(result).toMatchObject({ bytes, complete: false });
      expect(result.error).toBeUndefined();
    },
  );

  test('at any moment while bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.nat(20), async (arrivals, leavesAt) => {
        const reader = new ScriptedReader(SIZE, { available: 0 });
        const { port, delivered } = await serve({ reader, end: SIZE });
        const incoming = await open(port);
        for (let step = 0; step <= Math.max(arrivals, leavesAt); step += 1) {
          if (step === leavesAt) incoming.destroy();
          reader.arrive(SLICE / 8);
          await new Promise(setImmediate);
        }
        expect(await delivered).toMatchObject({ complete: false });
      }),
      { numRuns: 20 },
    );
  });

  test('before it began: nothing is read on its behalf beyond what was begun', async () => {
    const reader = new ScriptedReader(SIZE);
    const { port, response } = await serve({ reader: new ScriptedReader(0), end: 1 });
    const socket = connect({ port, host: '127.0.0.1' });
    socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const outgoing = await response;
    outgoing.destroy();
    expect(await deliver(reader, 0, SIZE, outgoing)).toMatchObject({ bytes: 0, complete: false });
    expect(reader.reads).toBeLessThanOrEqual(1);
  });

  test('its reader can be closed', async () => {
    const reader = new ScriptedReader(SIZE, { available: 0 });
    const { port, delivered } = await serve({ reader, end: SIZE });
    (await open(port)).destroy();
    await delivered;
    expect(reader.isClosed).toBe(false);
    await reader.close();
  });
});

describe('bytes that do not come to their end', () => {
  const places = [0, 1, SLICE, SLICE + 1, 2 * SLICE, SIZE - 1];

  test.each(places)('reading fails at %i: the connection is cut, and why is told', async (failsAt) => {
    for (const end of [SIZE, undefined]) {
      const reader = new ScriptedReader(SIZE, { failsAt });
      const { body, complete, delivered } = await pull({ reader, end });
      expect(complete).toBe(false);
      expect(delivered).toMatchObject({ complete: false, error: new Error(`the bytes end at ${failsAt}`) });
      expect(same(body, bytesOf(0, body.length))).toBe(true);
      expect(body.length).toBeLessThanOrEqual(failsAt);
      expect(reader.isClosed).toBe(false);
    }
  });

  test.each(places)('the blob ends at %i, before its size: cut as well', async (endsAt) => {
    const reader = new ScriptedReader(SIZE, { endsAt });
    const { complete, delivered } = await pull({ reader, end: SIZE });
    expect(complete).toBe(false);
    expect(delivered).toMatchObject({
      complete: false,
      error: new Error(`the blob ended at byte ${endsAt} of ${SIZE}`),
    });
  });

  test('they fail once the client has gone: it was not their fault', async () => {
    const reader = new ScriptedReader(SIZE, { available: 10, failsAt: 11 });
    const { port, delivered } = await serve({ reader, end: SIZE });
    const incoming = await open(port);
    await once(incoming, 'data');
    incoming.destroy();
    const result = await delivered;
    expect(result.error).toBeUndefined();
    expect(result.complete).toBe(false);
    reader.arrive(1);
  });
});
