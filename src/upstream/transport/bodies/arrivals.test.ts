import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';

const KIB = 1024;

function silentBody(options: { readonly highWaterMark?: number } = {}): Readable {
  return new Readable({ read() {}, ...options }).on('error', () => undefined);
}

async function takeAll(arrivals: Arrivals): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let next; (next = await arrivals.next()) !== undefined;) pieces.push(...next);
  return Buffer.concat(pieces);
}

test('all bytes come once and in order, in whatever pieces they arrive', async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(pieces, async (all) => {
      const body = Readable.from(all, { objectMode: false });
      expect(await takeAll(new Arrivals(body))).toEqual(Buffer.concat(all));
    }),
  );
});

test('the pieces that have arrived meanwhile are returned at once', async () => {
  const body = silentBody();
  const arrivals = new Arrivals(body);
  const first = arrivals.next();
  body.push('a');
  expect(Buffer.concat((await first) ?? []).toString()).toBe('a');
  body.push('b');
  body.push('c');
  await setImmediate();
  expect((await arrivals.next())?.map(String)).toEqual(['b', 'c']);
});

test('at most a little over half a MiB is read ahead of the reader', async () => {
  const body = silentBody({ highWaterMark: 16 * KIB });
  const arrivals = new Arrivals(body);
  let pushed = 0;
  for (let isRoom = true; isRoom && pushed < 4_096 * KIB; pushed += 64 * KIB) {
    isRoom = body.push(Buffer.alloc(64 * KIB));
    await setImmediate();
  }
  expect(pushed).toBeLessThanOrEqual(640 * KIB);
  body.push(null);
  expect(await takeAll(arrivals)).toHaveLength(pushed);
});

test('bytes that arrived before a failure are returned before it is thrown', async () => {
  const body = silentBody();
  const arrivals = new Arrivals(body);
  body.push('a');
  await setImmediate();
  const error = new Error('reset');
  body.destroy(error);
  await setImmediate();
  expect((await arrivals.next())?.length).toBe(1);
  await expect(arrivals.next()).rejects.toBe(error);
});

test.each([
  ['failed', new Error('reset'), 'reset'],
  ['was closed', undefined, 'closed before its end'],
])('a body that %s before it is read says so', async (_, error, message) => {
  const body = silentBody();
  body.destroy(error);
  await setImmediate();
  await expect(new Arrivals(body).next()).rejects.toThrow(message);
});

test('a body that is closed while a reader waits has not ended', async () => {
  const body = silentBody();
  const next = new Arrivals(body).next();
  body.destroy();
  await expect(next).rejects.toThrow('closed before its end');
});
