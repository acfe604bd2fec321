import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { MAX_PROBLEM_BYTES, NO_PROBLEM, parseProblem, readProblem } from './problem.ts';

describe('parseProblem', () => {
  test.each([
    ['', [], undefined],
    ['{"errors":[{"code":"DENIED","message":"no"}]}', ['DENIED'], 'no'],
    [
      '{"errors":[{"code":"toomanyrequests","message":"Rate exceeded"}]}',
      ['TOOMANYREQUESTS'],
      'Rate exceeded',
    ],
    ['{"errors":[{"code":"A"},{"code":"B","message":"second"}]}', ['A', 'B'], 'second'],
    ['{"errors":[{"code":1},null,"x"]}', [], undefined],
    ['{"errors":[{"code":""},{"code":"404"},{"code":"not found"}]}', [], undefined],
    ['\uFEFF{"errors":[{"code":"DENIED"}]}', ['DENIED'], undefined],
    ['{"errors":{}}', [], undefined],
    ['[]', [], undefined],
    ['Too Many Requests\n', [], 'Too Many Requests'],
    ['<html><body>Forbidden</body></html>', [], undefined],
    ['go to https://a.example/x?sig=secret&se=1 please', [], 'go to https://a.example/x?… please'],
    ['a\u0000b\u001b[31m', [], 'a b [31m'],
  ])('%j', (body, codes, message) => {
    expect(parseProblem(body)).toEqual({ codes, message });
  });

  test('is bounded and printable for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        const { codes, message = '' } = parseProblem(body);
        return codes.length <= 10 && message.length <= 200 && !/\p{Cc}/u.test(message);
      }),
    );
    expect(parseProblem('x'.repeat(100_000)).message).toHaveLength(200);
  });
});

describe('readProblem', () => {
  const document = Buffer.from('{"errors":[{"code":"DENIED","message":"no"}]}');

  test.each([
    [undefined, document],
    ['identity', document],
    ['utf-8', document],
    ['gzip', gzipSync(document)],
    [' GZIP', gzipSync(document)],
    ['x-gzip', gzipSync(document)],
    ['deflate', deflateSync(document)],
    ['br', brotliCompressSync(document)],
  ])('a document is read as %s', (encoding, body) => {
    expect(readProblem(body, encoding)).toEqual({ codes: ['DENIED'], message: 'no' });
  });

  test.each([
    ['gzip', document],
    ['gzip', gzipSync(document).subarray(0, 20)],
    ['br', document],
    ['gzip', gzipSync(Buffer.alloc(MAX_PROBLEM_BYTES + 1, ' '))],
  ])('what is no %s, or too much of it, says nothing', (encoding, body) => {
    expect(readProblem(body, encoding)).toEqual(NO_PROBLEM);
  });
});
