import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { open, pull, receive, serve, untilStill } from '../../test/support/delivery-server.ts';
import { bytesOf, ScriptedReader, type ScriptedReaderOptions } from '../../test/support/scripted-reader.ts';
import { createDeliver, type Deliver } from './deliver.ts';
import { loadSendfile } from './koffi-sendfile.ts';

const KiB = 1024;
const SLICE = 256 * KiB;
const SIZE = 3 * SLICE + 12_345;
const FILE_SIZE = 41 * SLICE;

function same(actual: Buffer, expected: Buffer): boolean {
  return actual.equals(expected);
}

const sendfile = await loadSendfile(process, 3);

/** The ways to deliver, with equal results; a body from a reader without a file can only be sent by reading. */
const WAYS: readonly { readonly name: string; readonly deliver: Deliver; readonly hasFile: boolean }[] = [
  { name: 'by reading', deliver: createDeliver(), hasFile: false },
  { name: 'by sendfile', deliver: createDeliver(sendfile), hasFile: true },
  { name: 'by sendfile, without a file', deliver: createDeliver(sendfile), hasFile: false },
];

let directory: string;
let fd: number;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'larder-deliver-'));
  const path = join(directory, 'bytes');
  writeFileSync(path, bytesOf(0, FILE_SIZE));
  fd = openSync(path, 'r');
});

afterAll(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

/** A reader whose disk fails late, so that the rest comes from upstream, seven bytes at a time. */
class ReceivingReader extends ScriptedReader {
  #arrived = 0;

  override async available(position: number): Promise<number> {
    if (this.reads === 0) return super.available(position);
    if (position >= this.#arrived) this.#arrived += 7;
    return this.#arrived;
  }

  override read(into: Uint8Array, position: number): Promise<number> {
    if (this.reads === 0) this.#arrived = position + 7;
    const there = into.subarray(0, Math.max(0, this.#arrived - position));
    return there.length === 0 ? Promise.reject(new RangeError('not there')) : super.read(there, position);
  }
}

describe.each(WAYS)('$name', ({ deliver, hasFile }) => {
  function scripted(size: number, options: ScriptedReaderOptions = {}): ScriptedReader {
    return new ScriptedReader(size, hasFile ? { ...options, fd } : options);
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
      const reader = scripted(SIZE);
      const { body, complete, delivered } = await pull({ deliver, reader, start, end });
      expect(delivered).toEqual({ bytes: (end ?? SIZE) - start, complete: true });
      expect(complete).toBe(true);
      expect(same(body, bytesOf(start, end ?? SIZE))).toBe(true);
      expect(reader.furthest).toBeLessThanOrEqual(end ?? SIZE);
    });

    test('any part, with reads of any length and bytes that arrive in any pieces', async () => {
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
          const reader = scripted(size, { perRead, available: 0 });
          const pulled = pull({ deliver, reader, start, end });
          for (const bytes of arrivals) reader.arrive(bytes);
          reader.arrive(size);
          const { body, complete, delivered } = await pulled;
          expect([complete, delivered.complete, delivered.bytes]).toEqual([true, true, end - start]);
          expect(same(body, bytesOf(start, end))).toBe(true);
        }),
        { numRuns: 40 },
      );
    });

    test.each([10, 1000, 65_536])(
      'a part of %i bytes whose reader comes to have fewer than it said',
      async (end) => {
        const reader = new ReceivingReader(SIZE);
        const { body, complete } = await pull({ deliver, reader, end });
        expect([complete, same(body, bytesOf(0, end))]).toEqual([true, true]);
      },
    );

    test('the first bytes leave before the last ones are there', async () => {
      const reader = scripted(SIZE, { available: 10 });
      const { port, delivered } = await serve({ deliver, reader, end: SIZE });
      const incoming = await open(port);
      const [first] = (await once(incoming, 'data')) as [Buffer];
      expect(same(first, bytesOf(0, 10))).toBe(true);
      reader.arrive(SIZE);
      const rest = await receive(incoming);
      expect(rest.complete).toBe(true);
      expect(await delivered).toEqual({ bytes: SIZE, complete: true });
    });

    test('one connection serves one request after the other', async () => {
      const reader = scripted(SIZE);
      const { port } = await serve({ deliver, reader, end: SIZE });
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

  test('requests that arrive together on one connection are answered one after the other', async () => {
    const { port } = await serve({ deliver, reader: scripted(SIZE), end: SIZE });
    const socket = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    let received = Buffer.alloc(0);
    for (let answers = 0; answers < 3; answers += 1) {
      let bodyAt = -1;
      while (bodyAt === -1 || received.length < bodyAt + SIZE) {
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        received = Buffer.concat([received, chunk]);
        bodyAt = received.indexOf('\r\n\r\n') + 4;
      }
      expect(received.toString('latin1', 0, 15)).toBe('HTTP/1.1 200 OK');
      expect(same(received.subarray(bodyAt, bodyAt + SIZE), bytesOf(0, SIZE))).toBe(true);
      received = received.subarray(bodyAt + SIZE);
    }
    expect(received.length).toBe(0);
  });

  describe('a client that reads slowly', () => {
    test('gets the right bytes: no buffer is overwritten before it has left', async () => {
      const size = 40 * SLICE + 1;
      const reader = scripted(size);
      const { port, delivered } = await serve({ deliver, reader, end: size });
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
      'after %i bytes: the delivery ends, without an error',
      async (bytes) => {
        const reader = scripted(SIZE, { available: bytes });
        const { port, delivered } = await serve({ deliver, reader, end: SIZE });
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
          const reader = scripted(SIZE, { available: 0 });
          const { port, delivered } = await serve({ deliver, reader, end: SIZE });
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

    test('before the delivery begins: no further read is begun for it', async () => {
      const reader = scripted(SIZE);
      const { port, response } = await serve({ deliver, reader: scripted(0), end: 1 });
      const socket = connect({ port, host: '127.0.0.1' });
      socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const outgoing = await response;
      outgoing.destroy();
      expect(await deliver(reader, 0, SIZE, outgoing)).toMatchObject({ bytes: 0, complete: false });
      expect(reader.reads).toBeLessThanOrEqual(1);
    });

    test('leaves a reader that can be closed', async () => {
      const reader = scripted(SIZE, { available: 0 });
      const { port, delivered } = await serve({ deliver, reader, end: SIZE });
      (await open(port)).destroy();
      await delivered;
      expect(reader.isClosed).toBe(false);
      await reader.close();
    });
  });

  describe('bytes that do not come to their end', () => {
    const places = [0, 1, SLICE, SLICE + 1, 2 * SLICE, SIZE - 1];

    test.each(places)(
      'reading fails at %i: the connection is cut, and the delivery has the error',
      async (failsAt) => {
        for (const end of [SIZE, undefined]) {
          const reader = scripted(SIZE, { failsAt });
          const { body, complete, delivered } = await pull({ deliver, reader, end });
          expect(complete).toBe(false);
          expect(delivered).toMatchObject({
            complete: false,
            error: new Error(`the bytes end at ${failsAt}`),
          });
          expect(same(body, bytesOf(0, body.length))).toBe(true);
          expect(body.length).toBeLessThanOrEqual(failsAt);
          expect(reader.isClosed).toBe(false);
        }
      },
    );

    test.each(places)('the blob ends at %i, before its size: the connection is cut, too', async (endsAt) => {
      const reader = scripted(SIZE, { endsAt });
      const { complete, delivered } = await pull({ deliver, reader, end: SIZE });
      expect(complete).toBe(false);
      expect(delivered).toMatchObject({
        complete: false,
        error: new Error(`the blob ended at byte ${endsAt} of ${SIZE}`),
      });
    });

    test('reading fails after the client has gone: the delivery has no error', async () => {
      const reader = scripted(SIZE, { available: 10, failsAt: 11 });
      const { port, delivered } = await serve({ deliver, reader, end: SIZE });
      const incoming = await open(port);
      await once(incoming, 'data');
      incoming.destroy();
      const result = await delivered;
      expect(result.error).toBeUndefined();
      expect(result.complete).toBe(false);
      reader.arrive(1);
    });
  });
});
