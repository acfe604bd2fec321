import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInterim, tidyHead } from './response-head.ts';

const head = (...lines: readonly string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');

/** Makes a mended head, which closes its connection. */
const mended = (...lines: readonly string[]): string => head(...lines, 'Connection: close');

describe('tidyHead', () => {
  it.each<[string, string]>([
    ['no fields', head()],
    ['a length', head('Content-Length: 11')],
    ['names in any case', head('cOnTeNt-LeNgTh: 11', 'ETAG: "x"')],
    ['no blank behind a colon, or several', head('Content-Length:11', 'X:   y')],
    ['blanks behind other values', head('X-Empty: ', 'X-More: a \t')],
    ['tabs and letters that are not ASCII in a value', head('X: caf\xe9\ta')],
    ['chunks', head('Transfer-Encoding: chunked')],
    ['lengths that differ', head('Content-Length: 11', 'Content-Length: 5')],
    ['a list of lengths that differ', head('Content-Length: 11, 5')],
    ['a malformed length', head('Content-Length: +11')],
    ['a line that is no field', head('nonsense', ': nameless')],
    ['a fold behind the status', head(' folded', 'X: y')],
    ['no reason', 'HTTP/1.1 200\r\nX: y\r\n\r\n'],
  ])('leaves %s', (_, text) => {
    expect(tidyHead(text)).toBe(text);
  });

  it.each<[string, string, string]>([
    ['a blank behind a length', head('Content-Length: 11 '), mended('Content-Length: 11')],
    ['a tab behind a length', head('Content-Length: 11\t'), mended('Content-Length: 11')],
    ['a blank behind chunked', head('Transfer-Encoding: chunked '), mended('Transfer-Encoding: chunked')],
    ['a blank before a colon', head('Content-Length : 11'), mended('Content-Length: 11')],
    ['two equal lengths', head('Content-Length: 11', 'content-length: 11'), mended('Content-Length: 11')],
    ['a list of equal lengths', head('Content-Length: 11, 11'), mended('Content-Length: 11')],
    [
      'a length beside chunks',
      head('Content-Length: 11', 'Transfer-Encoding: gzip, Chunked'),
      mended('Transfer-Encoding: gzip, Chunked'),
    ],
    ['a folded line', head('X: a', ' \t b', '\tc', 'Y: d'), mended('X: a b c', 'Y: d')],
    ['a control character', head('X: a\x01b\x7f'), mended('X: a b ')],
    ['a lone CR', head('X: a\rb'), mended('X: a b')],
    ['lines that end in LF', 'HTTP/1.1 200 OK\nContent-Length: 11\n\n', mended('Content-Length: 11')],
    [
      'a connection that would be kept',
      head('Connection: keep-alive', 'Keep-Alive: timeout=5', 'Content-Length: 11 '),
      mended('Content-Length: 11'),
    ],
  ])('mends %s', (_, text, expected) => {
    expect(tidyHead(text)).toBe(expected);
  });

  it('changes a mended head no more, and takes time that grows only with the length', () => {
    const piece = fc.constantFrom(
      '\r\n',
      '\n',
      ' ',
      '\t',
      ':',
      'a',
      '\r',
      ',',
      '11',
      'Content-Length',
      'chunked',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('').replaceAll(/^(?:\r?\n)+|(?:\r?\n)+$/g, '');
        // A blank line would end the head.
        const once = tidyHead(head(text.replaceAll(/(?:\r?\n)+/g, '\n')));
        expect(once.endsWith('\r\n\r\n')).toBe(true);
        expect(tidyHead(once)).toBe(once);
      }),
    );
    expect(tidyHead(head(`Content-Length: 11${' '.repeat(60_000)}`))).toBe(mended('Content-Length: 11'));
  });
});

describe('isInterim', () => {
  it.each([
    ['HTTP/1.1 100 Continue', true],
    ['HTTP/1.1 103', true],
    ['HTTP/1.1 101 Switching Protocols', false],
    ['HTTP/1.1 200 OK', false],
    ['HTTP/1.1 1000', false],
  ])('of %s: %s', (status, expected) => {
    expect(isInterim(`${status}\r\n\r\n`)).toBe(expected);
  });
});
