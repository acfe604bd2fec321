/** The reader for large bodies beside undici and node:http, over the same bytes on real sockets. */
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { request } from 'undici';
import { AnswerParser, type AnswerEvent } from '../../../src/upstream/reader/answer-parser.ts';

/** A status and a body; undefined if there was no whole answer. */
type Read = { readonly status: number; readonly body: string } | undefined;

/** The same, and whether the connection ended with the answer, so that bytes behind it cannot spoil it for others. */
interface OwnRead {
  readonly read: Read;
  readonly isExact: boolean;
}

/** Parts of answers, most of them hostile. */
const STATUS_LINE = fc.constantFrom(
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 206 Partial Content\r\n',
  'HTTP/1.1 204 No Content\r\n',
  'HTTP/1.1 304 Not Modified\r\n',
  'HTTP/1.1 404 \r\n',
  'HTTP/1.1 200\r\n',
  'HTTP/1.0 200 OK\r\n',
  'HTTP/1.1  200 OK\r\n',
  'HTTP/1.1 200 OK\n',
  '\r\nHTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n',
  'HTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n',
  'HTTP/1.1 103 Early\r\nContent-Length: 3\r\n\r\nHTTP/1.1 200 OK\r\n',
  'HTTP/1.1 102 P\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n',
);

const LINE = fc.constantFrom(
  'Content-Length: 5\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 05\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length: +5\r\n',
  'Content-Length: -5\r\n',
  'Content-Length: 18446744073709551621\r\n',
  'Content-Length:\t5 \r\n',
  'Content-Length : 5\r\n',
  'Content-Length:\r\n 5\r\n',
  'Content-Length: 5\n',
  'Transfer-Encoding: Chunked\r\n',
  'Transfer-Encoding: chunked \r\n',
  'Transfer-Encoding: \x0bchunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding:\r\n chunked\r\n',
  'Connection: close\r\n',
  'Connection: Content-Length\r\n',
  'Trailer: X\r\n',
  'X: a\x00b\r\n',
  'X: a\rContent-Length: 5\r\n',
  'X: \xe9\r\n',
  'X\r\n',
  ': x\r\n',
  ' folded\r\n',
);

const BODY = fc.constantFrom(
  'hello',
  'hell',
  'hello, world',
  '5\r\nhello\r\n0\r\n\r\n',
  '2\r\nhe\r\n03\r\nllo\r\n0\r\n\r\n',
  '5;x=y\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nX: y\r\n\r\n',
  '5\r\nhello\r\n0\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
  '-5\r\nhello\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  '100000005\r\nhello\r\n0\r\n\r\n',
  '5\r\nhelloX\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '0\r\n\r\n',
  '',
);

const ANSWER = fc
  .tuple(STATUS_LINE, fc.array(LINE, { maxLength: 3 }), fc.constantFrom('\r\n', '\r\n', '\n'), BODY)
  .map(([status, lines, blank, body]) => Buffer.from(`${status}${lines.join('')}${blank}${body}`, 'latin1'));

/** The same with one byte changed. */
const CHANGED = fc
  .tuple(ANSWER, fc.nat(), fc.constantFrom(0, 9, 10, 11, 13, 32, 44, 48, 58, 59, 255))
  .map(([bytes, at, byte]) => {
    const changed = Buffer.from(bytes);
    changed[at % changed.length] = byte;
    return changed;
  });

/** A server that answers each request with the present bytes, and then closes the connection. */
let server: Server;
let answer: Buffer = Buffer.alloc(0);
let url = '';

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => {
  server.close();
});

function byReader(bytes: Buffer): OwnRead {
  const parser = new AnswerParser();
  const events: AnswerEvent[] = [...parser.push(bytes)];
  const last = parser.close();
  if (last !== undefined) events.push(last);
  const head = events.find((event) => event.kind === 'head')?.head;
  const end = events.at(-1);
  if (head === undefined || end?.kind !== 'end') return { read: undefined, isExact: false };
  const parts = events.map((event) => (event.kind === 'bytes' ? Buffer.from(event.bytes) : Buffer.alloc(0)));
  const read = { status: head.status, body: Buffer.concat(parts).toString('latin1') };
  return { read, isExact: end.isExact || head.framing.kind === 'until-close' };
}

async function byUndici(): Promise<Read> {
  try {
    const { statusCode, body } = await request(url, { reset: true });
    return { status: statusCode, body: Buffer.from(await body.arrayBuffer()).toString('latin1') };
  } catch {
    return undefined;
  }
}

function byNode(): Promise<Read> {
  return new Promise((resolve) => {
    const asked = get(url, { agent: false }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', () => resolve(undefined));
      incoming.on('end', () => {
        const body = Buffer.concat(parts).toString('latin1');
        resolve(incoming.complete ? { status: incoming.statusCode ?? 0, body } : undefined);
      });
    });
    asked.on('error', () => resolve(undefined));
  });
}

test.each([
  ['answers made of hostile parts', ANSWER, 600],
  ['answers with one byte changed', CHANGED, 300],
])(
  '%s: the reader accepts none that undici and node:http refuse or read otherwise',
  async (_, bytes, runs) => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        const { read: own, isExact } = byReader(sent);
        if (own === undefined) return;
        accepted += 1;
        answer = sent;
        const [undici, node] = await Promise.all([byUndici(), byNode()]);
        // node:http may report the bytes behind an answer before it has told that the answer was whole.
        const others = isExact || node !== undefined ? [undici, node] : [undici];
        const seen = sent.toString('latin1');
        expect({ seen, others }).toEqual({ seen, others: others.map(() => own) });
      }),
      { numRuns: runs },
    );
    expect(accepted).toBeGreaterThan(runs / 50);
  },
);
