import { expect, test } from 'vitest';
import { encodingOf } from './content-encoding.ts';

test.each([
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['aws-chunked', undefined],
  ['utf-8', undefined],
  ['binary', undefined],
  ['none', undefined],
  ['gzip', 'gzip'],
  [' X-GZIP ', 'x-gzip'],
  ['aws-chunked, gzip', 'aws-chunked, gzip'],
  ['br', 'br'],
  ['zstd', 'zstd'],
  ['deflate', 'deflate'],
])('Content-Encoding %j: the bytes are changed by %j', (header, expected) => {
  expect(encodingOf({ 'content-encoding': header })).toBe(expected);
});
