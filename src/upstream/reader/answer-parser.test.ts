import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerParser, type AnswerEvent } from './answer-parser.ts';

/** What an answer was understood as. */
interface Understood {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly outcome: 'whole' | 'whole, and more' | 'unfit' | 'cut' | 'open';
}

/** Reads the pieces, and then the end of the connection, if it comes. */
function understand(pieces: readonly Buffer[], { isClosed = false } = {}): Understood {
  const parser = new AnswerParser();
  const events: AnswerEvent[] = pieces.flatMap((piece) => [...parser.push(piece)]);
  const last = isClosed ? parser.close() : undefined;
  if (last !== undefined) events.push(last);
  const head = events.find((event) => event.kind === 'head')?.head;
  const body = events.map((event) =>
    event.kind === 'bytes' ? Buffer.from(event.bytes).toString('latin1') : '',
  );
  return {
    ...(head !== undefined && { status: head.status, headers: { ...head.headers } }),
    body: body.join(''),
    outcome: outcomeOf(events.at(-1)),
  };
}

function outcomeOf(last: AnswerEvent | undefined): Understood['outcome'] {
  if (last?.kind === 'unfit' || last?.kind === 'cut') return last.kind;
  if (last?.kind === 'end') return last.isExact ? 'whole' : 'whole, and more';
  return 'open';
}

function whole(text: string, isClosed = false): Understood {
  return understand([Buffer.from(text, 'latin1')], { isClosed });
}

const OK = 'HTTP/1.1 200 OK\r\n';

test('a body with a length', () => {
  expect(whole(`${OK}Content-Length: 5\r\nX-A: 1\r\nx-a:  2 \r\n\r\nhello`)).toEqual({
    status: 200,
    headers: { 'content-length': '5', 'x-a': ['1', '2'] },
    body: 'hello',
    outcome: 'whole',
  });
});

test('a body in chunks', () => {
  const chunks = '5\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n';
  expect(whole(`${OK}Transfer-Encoding: chunked\r\n\r\n${chunks}`)).toMatchObject({
    body: 'helloabcdefghijklmnopqrstuvwxyz',
    outcome: 'whole',
  });
});

test('a body that the end of the connection ends', () => {
  expect(whole(`${OK}\r\nhello`)).toMatchObject({ body: 'hello', outcome: 'open' });
  expect(whole(`${OK}\r\nhello`, true)).toMatchObject({ body: 'hello', outcome: 'whole, and more' });
});

/** Returns the CPU time of reading a head, in microseconds. */
function costOf(head: string): number {
  const before = process.cpuUsage();
  whole(head);
  return process.cpuUsage(before).user;
}

test.each([
  ['between two letters', (blanks: string) => `a${blanks}b`],
  ['before a control character', (blanks: string) => `${blanks}\x01`],
])('a header with many blanks %s is read in about the time of any other', (_, valueOf) => {
  const headOf = (value: string): string => `${OK}Content-Length: 0\r\nX:${value}\r\n\r\n`;
  const usual = costOf(headOf(valueOf('x'.repeat(30_000))));
  // A search that begins anew at each blank takes a thousand times as long.
  expect(costOf(headOf(valueOf(' '.repeat(30_000))))).toBeLessThan(50 * usual + 100_000);
});

test('only blanks are cut off a value', () => {
  expect(whole(`${OK}Content-Length: 0\r\nX: \t \xa0a \xa0 \t\r\nY: \t \r\n\r\n`).headers).toEqual({
    'content-length': '0',
    x: '\xa0a \xa0',
    y: '',
  });
  expect(whole(`${OK}Content-Length: 5\xa0\r\n\r\nhello`).outcome).toBe('unfit');
});

test('interim answers are passed over', () => {
  const interim = 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n';
  expect(whole(`${interim}${OK}content-length: 1\r\n\r\nx`)).toMatchObject({ status: 200, outcome: 'whole' });
});

test.each([
  ['in the head', 'HTTP/1.1 200 O'],
  ['behind an interim answer', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ['inside a body', `${OK}content-length: 6\r\n\r\nhello`],
  ['before the last chunk', `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`],
  ['inside the end of the last chunk', `${OK}transfer-encoding: chunked\r\n\r\n0\r\n\r`],
  ['before a byte', ''],
])('cut %s', (_where, text) => {
  expect(whole(text, true).outcome).toBe('cut');
});

test.each([
  ['an empty line before the status line', `\r\n${OK}content-length: 0\r\n\r\n`],
  ['another version', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['another protocol', 'ICY 200 OK\r\n\r\n'],
  ['no blank behind the status', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a status that is none', 'HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x00K\r\ncontent-length: 0\r\n\r\n'],
  ['two equal lengths', `${OK}content-length: 1\r\ncontent-length: 1\r\n\r\nx`],
  ['two lengths in one line', `${OK}content-length: 1, 1\r\n\r\nx`],
  ['two different lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nx`],
  ['a length beside chunks', `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks beside a length', `${OK}transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n`],
  ['two codings', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['two lines of codings', `${OK}transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['another coding', `${OK}transfer-encoding: identity\r\n\r\n`],
  ['a coding in another case', `${OK}transfer-encoding: Chunked\r\n\r\n0\r\n\r\n`],
  ['a negative length', `${OK}content-length: -1\r\n\r\n`],
  ['a signed length', `${OK}content-length: +1\r\n\r\nx`],
  ['a length in hexadecimal', `${OK}content-length: 0x1\r\n\r\nx`],
  ['an empty length', `${OK}content-length:\r\n\r\n`],
  ['a length that no double holds', `${OK}content-length: 18446744073709551617\r\n\r\nx`],
  ['a folded line', `${OK}x-a: 1\r\n 2\r\ncontent-length: 0\r\n\r\n`],
  ['a folded length', `${OK}content-length:\r\n 1\r\n\r\nx`],
  ['a blank before the colon', `${OK}content-length : 1\r\n\r\nx`],
  ['a line without a colon', `${OK}content-length\r\n\r\nx`],
  ['a line without a name', `${OK}: 1\r\n\r\nx`],
  ['a bare LF', `${OK}x-a: 1\ncontent-length: 1\r\n\r\nx`],
  ['a bare CR', `${OK}x-a: 1\rcontent-length: 1\r\n\r\nx`],
  ['a NUL', `${OK}x-a: 1\x00\r\ncontent-length: 1\r\n\r\nx`],
  ['a switch of the protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['leave to go on, which was not asked for', `HTTP/1.1 100 Continue\r\n\r\n${OK}\r\n`],
  ['an interim answer with a length', `HTTP/1.1 102 Processing\r\ncontent-length: 1\r\n\r\n${OK}\r\n`],
  [
    'a trailer to come',
    `${OK}transfer-encoding: chunked\r\ntrailer: x-a\r\n\r\n1\r\nx\r\n0\r\nx-a: 1\r\n\r\n`,
  ],
  ['no content, and a length', 'HTTP/1.1 204 No Content\r\ncontent-length: 1\r\n\r\nx'],
  ['not modified', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
  ['a head that is too long', `${OK}${'x-a: 1234567890\r\n'.repeat(2_000)}\r\n`],
  ['a line that never ends', `${OK}x-a: ${'1'.repeat(40_000)}`],
  ['a flood of interim answers', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(2_000)],
])('%s is unfit', (_what, text) => {
  expect(whole(text)).toMatchObject({ outcome: 'unfit', body: '' });
});

test.each([
  ['an extension', '5;a=b\r\nhello\r\n0\r\n\r\n'],
  ['a blank behind the size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a blank before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
  ['a size in another base', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['no size', '\r\nhello\r\n0\r\n\r\n'],
  ['a size that no double holds', 'fffffffffffff\r\nhello'],
  ['a size of many zeros', '0000000000005\r\nhello\r\n0\r\n\r\n'],
  ['a bare LF', '5\nhello\n0\n\n'],
])('chunks with %s are unfit', (_what, chunks) => {
  expect(whole(`${OK}transfer-encoding: chunked\r\n\r\n${chunks}`)).toMatchObject({
    outcome: 'unfit',
    body: '',
  });
});

test.each([
  ['a chunk that is longer than its size', '4\r\nhello\r\n0\r\n\r\n', 'hell'],
  ['a bare LF behind a chunk', '5\r\nhello\n0\r\n\r\n', 'hello'],
  ['a trailer', '5\r\nhello\r\n0\r\nx-a: 1\r\n\r\n', 'hello'],
])('%s is unfit from there on', (_what, chunks, body) => {
  expect(whole(`${OK}transfer-encoding: chunked\r\n\r\n${chunks}`)).toMatchObject({ outcome: 'unfit', body });
});

test.each(['content-length: 1\r\n\r\nx', 'transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n'])(
  'bytes behind the end are of no answer: %j',
  (rest) => {
    const more = `${OK}content-length: 0\r\n\r\n`;
    expect(whole(`${OK}${rest}${more}`)).toMatchObject({ body: 'x', outcome: 'whole, and more' });
  },
);

describe('how long the connection is kept', () => {
  function idleMsOf(lines: string): number | undefined {
    const parser = new AnswerParser();
    parser.push(Buffer.from(`${OK}content-length: 0\r\n${lines}\r\n`));
    return parser.idleMs;
  }

  test.each([
    ['', 4_000],
    ['connection: keep-alive\r\n', 4_000],
    ['keep-alive: timeout=20\r\n', 19_000],
    ['keep-alive: max=5, timeout=20\r\n', 19_000],
    ['keep-alive: timeout=3600\r\n', 59_000],
    ['keep-alive: timeout=1\r\n', undefined],
    ['connection: close\r\n', undefined],
    ['connection: Close\r\n', undefined],
    ['connection: keep-alive, close\r\n', undefined],
    ['connection: keep-alive\r\nconnection: close\r\n', undefined],
  ])('%j', (lines, idleMs) => {
    expect(idleMsOf(lines)).toBe(idleMs);
  });
});

const SAMPLES = [
  `${OK}content-length: 5\r\n\r\nhello`,
  `${OK}content-length: 0\r\n\r\n`,
  'HTTP/1.1 204 \r\n\r\n',
  `HTTP/1.1 103 Early Hints\r\n\r\n${OK}transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
  `${OK}transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\n\r\n`,
  `${OK}content-length: 1\r\n\r\nxHTTP/1.1 200`,
  `${OK}x-a : 1\r\n\r\n`,
  `${OK}\r\nhello`,
];

test.each(SAMPLES)('is understood alike wherever it is split: %j', (text) => {
  const bytes = Buffer.from(text, 'latin1');
  // Where the bytes are split may decide whether bytes behind the end were seen before the connection was given up.
  const settled = ({ outcome, ...rest }: Understood): unknown => [outcome.replace(', and more', ''), rest];
  const expected = settled(understand([bytes], { isClosed: true }));
  for (let at = 0; at <= bytes.length; at += 1) {
    const two = [bytes.subarray(0, at), bytes.subarray(at)];
    expect(settled(understand(two, { isClosed: true }))).toEqual(expected);
  }
  expect(
    settled(
      understand(
        [...bytes].map((byte) => Buffer.of(byte)),
        { isClosed: true },
      ),
    ),
  ).toEqual(expected);
});

test('however it is split, the content of chunks is the same', () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
  const cuts = fc.array(fc.nat(300), { maxLength: 8 });
  fc.assert(
    fc.property(chunks, cuts, (all, at) => {
      const bytes = Buffer.concat([
        Buffer.from(`${OK}transfer-encoding: chunked\r\n\r\n`),
        ...all.flatMap((chunk) => [
          Buffer.from(`${chunk.length.toString(16)}\r\n`),
          chunk,
          Buffer.from('\r\n'),
        ]),
        Buffer.from('0\r\n\r\n'),
      ]);
      const ends = [...at.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      const pieces = ends.map((end, n) => bytes.subarray(n === 0 ? 0 : ends[n - 1], end));
      const { body, outcome } = understand(pieces);
      expect([body, outcome]).toEqual([Buffer.concat(all).toString('latin1'), 'whole']);
    }),
  );
});
