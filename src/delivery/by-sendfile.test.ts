import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer as createTlsServer, get as getByTls } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ask, open, pull, receive, serve, untilStill } from '../../test/support/delivery-server.ts';
import { bytesOf, ScriptedReader } from '../../test/support/scripted-reader.ts';
import { createCertificateAuthority } from '../../test/support/tls.ts';
import { createDeliver } from './deliver.ts';
import { loadSendfile } from './koffi-sendfile.ts';
import type { Sendfile } from './sendfile.ts';

const KiB = 1024;
const CHUNK = 256 * KiB;
const SIZE = 13 * KiB * KiB + 321;
const WHOLE = bytesOf(0, SIZE);
/** Size of the sparse file that the bodies are read from. */
const VAST = 1024 ** 3;

const system = await loadSendfile(process, 3);

/** Counts calls of the system's sendfile, parts of which a test may replace. */
class WatchedSendfile implements Sendfile {
  readonly #parts: Sendfile;
  readonly duplicates = new Set<number>();
  calls = 0;

  constructor(parts: Partial<Sendfile> = {}) {
    this.#parts = { ...system, ...parts };
  }

  send(...call: Parameters<Sendfile['send']>): Promise<number> {
    this.calls += 1;
    return this.#parts.send(...call);
  }

  duplicate(descriptor: number): number | undefined {
    const duplicate = this.#parts.duplicate(descriptor);
    if (duplicate !== undefined) this.duplicates.add(duplicate);
    return duplicate;
  }

  unsent(socket: number): number | undefined {
    return this.#parts.unsent(socket);
  }

  close(descriptor: number): void {
    if (!this.duplicates.delete(descriptor)) throw new Error(`${descriptor} is closed already`);
    system.close(descriptor);
  }
}

let directory: string;
let fd: number;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'larder-sendfile-'));
  const path = join(directory, 'bytes');
  writeFileSync(path, WHOLE);
  truncateSync(path, VAST);
  fd = openSync(path, 'r');
});

afterAll(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

function fileReader(size = SIZE): ScriptedReader {
  return new ScriptedReader(size, { fd });
}

function descriptorOf(socket: Socket | null): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

async function expectRight(sendfile: WatchedSendfile, size = SIZE): Promise<void> {
  const pulled = await pull({ deliver: createDeliver(sendfile), reader: fileReader(size), end: size });
  expect(pulled.delivered).toEqual({ bytes: size, complete: true });
  expect(pulled.body.equals(WHOLE.subarray(0, size))).toBe(true);
  expect(sendfile.duplicates.size).toBe(0);
}

describe('sendfile sends', () => {
  test('all bytes but a chunk for the headers and one for each full socket', async () => {
    const reader = fileReader();
    const sendfile = new WatchedSendfile();
    const { body } = await pull({ deliver: createDeliver(sendfile), reader, end: SIZE });
    expect(body.equals(WHOLE)).toBe(true);
    expect(sendfile.calls).toBeGreaterThan(0);
    expect(reader.reads * CHUNK).toBeLessThan(SIZE / 2);
    expect([...reader.buffers].map(({ byteLength }) => byteLength)).toEqual([CHUNK]);
  });

  test('no byte of a body that Node encodes', async () => {
    const sendfile = new WatchedSendfile();
    const { body } = await pull({ deliver: createDeliver(sendfile), reader: fileReader() });
    expect([body.equals(WHOLE), sendfile.calls]).toEqual([true, 0]);
  });

  test('no byte of a body that Node encrypts', async () => {
    const sendfile = new WatchedSendfile();
    const deliver = createDeliver(sendfile);
    const authority = createCertificateAuthority();
    const server = createTlsServer(authority.issue(['127.0.0.1']), (_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': SIZE });
      void deliver(fileReader(), 0, SIZE, outgoing, 60_000);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const request = getByTls({ port, host: '127.0.0.1', ca: authority.certificate, agent: false });
    const [incoming] = (await once(request, 'response')) as [IncomingMessage];
    const { body, complete } = await receive(incoming);
    expect([complete, body.equals(WHOLE), sendfile.calls]).toEqual([true, true, 0]);
  });

  test('no byte if the system has no descriptor left', async () => {
    const sendfile = new WatchedSendfile({ duplicate: () => undefined });
    await expectRight(sendfile);
    expect(sendfile.calls).toBe(0);
  });

  test.each([-1, 0])('no byte if each call answers %i', async (answer) => {
    const sendfile = new WatchedSendfile({ send: () => Promise.resolve(answer) });
    await expectRight(sendfile);
    expect(sendfile.calls).toBeGreaterThan(0);
  });

  test('as many bytes as the system takes at a time', async () => {
    const counts = fc.array(fc.integer({ min: -1, max: 300 * KiB }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(counts, async (taken) => {
        let calls = 0;
        await expectRight(
          new WatchedSendfile({
            async send(socket, file, position, count) {
              const most = taken[(calls += 1) % taken.length] ?? 0;
              return most < 0 ? -1 : system.send(socket, file, position, Math.min(most, count));
            },
          }),
          2 * KiB * KiB,
        );
      }),
      { numRuns: 25 },
    );
  });
});

test('a client that reads nothing takes a chunk of memory, however large the blob is', async () => {
  const sendfile = new WatchedSendfile();
  const reader = fileReader(VAST);
  const { port, response, delivered } = await serve({
    deliver: createDeliver(sendfile),
    reader,
    end: VAST,
  });
  const socket = await ask(port);
  const outgoing = await response;
  await untilStill(reader);
  expect(outgoing.writableLength).toBeLessThanOrEqual(CHUNK + KiB);
  expect([...reader.buffers].map(({ byteLength }) => byteLength)).toEqual([CHUNK]);
  socket.destroy();
  const { complete, bytes, error } = await delivered;
  expect([complete, error]).toEqual([false, undefined]);
  expect(bytes).toBeLessThan(64 * KiB * KiB);
  expect(sendfile.duplicates.size).toBe(0);
});

describe('a client for which Node sees no progress', () => {
  test('is cut only if it takes nothing from the system either', async () => {
    const told = [9, 8, 7, 10, 10];
    let asked = 0;
    const sendfile = new WatchedSendfile({
      send: () => Promise.resolve(0),
      // Each write asks first; the socket is full after some.
      unsent: () => (isFull ? told[Math.min((asked += 1), told.length) - 1] : 0),
    });
    let isFull = false;
    const { port, response, delivered } = await serve({
      deliver: (reader, start, end, response) => createDeliver(sendfile)(reader, start, end, response, 200),
      reader: fileReader(VAST),
      end: VAST,
    });
    const socket = await ask(port);
    await response;
    isFull = true;
    const { complete, error } = await delivered;
    expect([complete, error]).toEqual([false, new Error('the client took nothing for 200 ms')]);
    expect(asked).toBeGreaterThanOrEqual(told.length);
    socket.destroy();
  });

  test('is recognised by the bytes that the system holds for it', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    const [socket] = (await once(server, 'connection')) as [Socket];
    const unsent = (): number | undefined => system.unsent(descriptorOf(socket));
    expect(unsent()).toBe(0);
    socket.write(Buffer.alloc(64 * KiB * KiB));
    await expect.poll(unsent).toBeGreaterThan(0);
    const before = unsent() ?? 0;
    client.resume();
    await once(socket, 'drain');
    await expect.poll(unsent).toBeLessThan(before);
    expect(system.unsent(-1)).toBeUndefined();
    client.destroy();
    socket.destroy();
  });
});

test('a failing call cuts the connection, and closes its duplicate', async () => {
  const failure = new Error('no threads');
  const sendfile = new WatchedSendfile({ send: () => Promise.reject(failure) });
  const { complete, delivered } = await pull({
    deliver: createDeliver(sendfile),
    reader: fileReader(),
    end: SIZE,
  });
  expect([complete, delivered.complete, delivered.error]).toEqual([false, false, failure]);
  expect(sendfile.duplicates.size).toBe(0);
});

describe('a call that is under way when its client goes', () => {
  interface HeldCall {
    readonly sendfile: WatchedSendfile;
    /** The descriptor that the call must send to. */
    readonly begun: Promise<number>;
    readonly release: () => void;
  }

  /** Holds the first call, as if it waited in its thread, until it is released. */
  function holdFirst(): HeldCall {
    const begun = Promise.withResolvers<number>();
    const released = Promise.withResolvers<undefined>();
    const sendfile = new WatchedSendfile({
      async send(socket, file, position, count) {
        begun.resolve(socket);
        await released.promise;
        return system.send(socket, file, position, count);
      },
    });
    return { sendfile, begun: begun.promise, release: () => released.resolve(undefined) };
  }

  test('does not send to the next client, which gets the descriptor of the one that has gone', async () => {
    const { sendfile, begun, release } = holdFirst();
    const reader = fileReader();
    const { port, server, response, delivered } = await serve({
      deliver: createDeliver(sendfile),
      reader,
      end: SIZE,
    });
    const leaving = await open(port);
    const outgoing = await response;
    const descriptor = descriptorOf(outgoing.socket);
    const target = await begun;
    const gone = once(outgoing, 'close');
    leaving.destroy();
    await gone;
    const sockets = await connectUntil(server, port, descriptor);
    let isOver = false;
    void delivered.then(() => (isOver = true));
    await new Promise(setImmediate);
    expect(isOver, 'it waits for its call').toBe(false);
    release();
    expect(await delivered).toMatchObject({ complete: false });
    expect([...sendfile.duplicates, target === descriptor]).toEqual([false]);
    for (const socket of sockets) {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const answer = await textOf(socket);
      expect(answer.startsWith('HTTP/1.1 200 OK\r\n'), 'nothing came before its own answer').toBe(true);
    }
  });

  /** Connects until a connection of the server has the descriptor. */
  async function connectUntil(server: NodeJS.EventEmitter, port: number, wanted: number): Promise<Socket[]> {
    const sockets: Socket[] = [];
    for (;;) {
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      const socket = connect({ port, host: '127.0.0.1' });
      onTestFinished(() => void socket.destroy());
      sockets.push(socket);
      const [connection] = await accepted;
      if (descriptorOf(connection) === wanted) return sockets;
      expect(sockets.length, 'the descriptor is given again').toBeLessThan(50);
    }
  }

  async function textOf(socket: Socket): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('latin1');
  }
});
