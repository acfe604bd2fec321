import { expect, test } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { announcedSize } from './announced-size.ts';

const SOME = digestOf('x');
const NONE = digestOf('');
const NONE_512 = digestOf('', 'sha512');

test.each([
  [{}, SOME, undefined],
  [{ 'content-length': '7' }, SOME, 7],
  [{ 'content-length': '7' }, undefined, 7],
  [{ 'content-length': '0' }, SOME, undefined],
  [{ 'content-length': '0' }, undefined, undefined],
  [{ 'content-length': '0' }, NONE, 0],
  [{ 'content-length': '0' }, NONE_512, 0],
  [{ 'content-length': '7', 'content-encoding': 'gzip' }, SOME, undefined],
  [{ 'content-length': '7', 'content-encoding': 'utf-8, br' }, SOME, undefined],
  [{ 'content-length': '7', 'content-encoding': 'aws-chunked' }, SOME, 7],
  [{ 'content-length': '7', 'content-encoding': 'identity' }, SOME, 7],
  [{ 'content-length': '-7' }, SOME, undefined],
])('%j tells of %s: %s', (headers, digest, expected) => {
  expect(announcedSize(headers, digest)).toBe(expected);
});
