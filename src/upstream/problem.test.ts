import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProblem } from './problem.ts';

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
