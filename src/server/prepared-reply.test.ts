import { expect, test } from 'vitest';
import { PreparedReply } from './prepared-reply.ts';
import { NO_BODY } from './reply.ts';

const COMMON = ['ETag', '"x"', 'Content-Length', '3'];
const EVERYWHERE = ['Docker-Distribution-Api-Version', 'registry/2.0', 'X-Content-Type-Options', 'nosniff'];

function prepared(): PreparedReply {
  return new PreparedReply({ status: 200, headers: { ETag: '"x"', 'Content-Length': 3 }, body: NO_BODY });
}

test('the headers are flat, and have what the kind of clients needs', () => {
  const reply = prepared();
  expect(reply.headersFor(undefined)).toEqual([...COMMON, ...EVERYWHERE]);
  expect(reply.headersFor({ 'Cache-Control': 'private' })).toEqual([
    ...COMMON,
    ...EVERYWHERE,
    'Cache-Control',
    'private',
  ]);
});

test('they are made once for each kind, however the caller came by it', () => {
  const reply = prepared();
  const [open, closed] = [reply.headersFor(undefined), reply.headersFor({ 'Cache-Control': 'private' })];
  expect(reply.headersFor(undefined)).toBe(open);
  expect(reply.headersFor({ 'Cache-Control': 'private' })).toBe(closed);
});
