import type { Socket } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { tidyHeads } from './tidy-heads.ts';

/** Writes a request to a socket, and returns its output for an answer that arrives in these pieces. */
function readAll(pieces: readonly Buffer[]): string {
  const coming: Buffer[] = [];
  const socket = { read: () => coming.shift() ?? null, write: () => true };
  const tidy = tidyHeads(socket as unknown as Socket);
  tidy.write('GET / HTTP/1.1\r\n\r\n');
  let text = '';
  for (const piece of pieces) {
    coming.push(piece);
    for (let part = tidy.read() as Buffer | null; part !== null; part = tidy.read() as Buffer | null) {
      text += part.toString('latin1');
    }
  }
  return text;
}

/** Cuts a text into pieces. @param ends positions at which all pieces but the last one end */
function piecesOf(text: string, ends: readonly number[]): readonly Buffer[] {
  const bounds = [0, ...ends.toSorted((a, b) => a - b), text.length];
  const pieces = bounds.slice(1).map((end, i) => Buffer.from(text.slice(bounds[i], end), 'latin1'));
  return pieces.filter(({ length }) => length > 0);
}

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  [
    'lines that end in CRLF',
    'HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4 \r\n\r\n\n\r\n\n',
  ],
  ['lines that end in LF', 'HTTP/1.1 103 Hints\n\nHTTP/1.1 200 OK\nContent-Length: 4\n\n\n\n\r\n'],
  ['both', 'HTTP/1.1 100 C\r\n\nHTTP/1.1 200 OK\r\nX: a\n\r\nbody\r\n\r\n'],
  ['a text that is no head', 'HTTX/1.1 200 OK\r\n\r\nbody'],
])('an answer of %s is the same in whatever pieces it arrives', (_, text) => {
  const whole = readAll([Buffer.from(text, 'latin1')]);
  const ends = fc.array(fc.nat(text.length), { maxLength: 12 });
  fc.assert(fc.property(ends, (some) => readAll(piecesOf(text, some)) === whole));
  expect(readAll(Array.from(text, (letter) => Buffer.from(letter, 'latin1')))).toBe(whole);
});

test('a head that arrives byte by byte is not copied and searched again for each byte', () => {
  const head = `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(8000)}\r\n\r\n`;
  const pieces = Array.from(head, (letter) => Buffer.from(letter));
  const concat = vi.spyOn(Buffer, 'concat');
  const copy = vi.spyOn(Buffer.prototype, 'copy');
  const search = vi.spyOn(Buffer.prototype, 'indexOf');
  expect(readAll(pieces)).toBe(head);
  let bytes = concat.mock.calls.flatMap(([list]) => list).reduce((sum, { length }) => sum + length, 0);
  for (const [, , start = 0, end = 1] of copy.mock.calls) bytes += Number(end) - Number(start);
  search.mock.contexts.forEach((searched, i) => {
    bytes += (searched as Buffer).length - Number(search.mock.calls[i]?.[1] ?? 0);
  });
  expect(bytes).toBeLessThan(20 * head.length);
});
