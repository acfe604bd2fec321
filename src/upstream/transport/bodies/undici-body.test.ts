import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { expect, test } from 'vitest';
import { UndiciBody } from './undici-body.ts';

type Body = Dispatcher.ResponseData['body'];

function bodyOf(...pieces: readonly Uint8Array[]): UndiciBody {
  return new UndiciBody(Readable.from(pieces, { objectMode: true }) as unknown as Body);
}

async function readOn(body: UndiciBody): Promise<void> {
  while ((await body.next()) !== undefined);
}

test('the memory of bytes is released when the next ones are asked for', async () => {
  const piece = Uint8Array.from([1, 2, 3]);
  const body = bodyOf(piece);
  await body.next();
  expect(piece).toHaveLength(3);
  await readOn(body);
  expect(piece).toHaveLength(0);
});

test('bytes that the consumer owns are not released', async () => {
  const piece = Uint8Array.from([1, 2, 3]);
  const body = bodyOf(piece);
  body.own((await body.next()) ?? []);
  await readOn(body);
  expect(piece).toHaveLength(3);
});
