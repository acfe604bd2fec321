import { expect, test } from 'vitest';
import { isOnThisMachine } from './peer.ts';

test.each([
  ['unix', true],
  ['127.0.0.1', true],
  ['127.8.0.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['192.0.2.1', false],
  ['::ffff:192.0.2.1', false],
  ['2001:db8::1', false],
  ['', false],
  ['localhost', false],
])('%j is on this machine: %s', (client, expected) => {
  expect(isOnThisMachine(client)).toBe(expected);
});
