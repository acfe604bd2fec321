import { expect, test } from 'vitest';
import { ask, serve, untilStill } from '../../test/support/delivery-server.ts';
import { ScriptedReader } from '../../test/support/scripted-reader.ts';
import { createDeliver } from './deliver.ts';

const KiB = 1024;
const SLICE = 512 * KiB;

test('a client that reads nothing takes two slices of memory, however large the blob is', async () => {
  const size = 1024 ** 3;
  const reader = new ScriptedReader(size);
  const { port, response, delivered } = await serve({ deliver: createDeliver(), reader, end: size });
  const socket = await ask(port);
  const outgoing = await response;
  await untilStill(reader);
  // One slice waits in Node for room in the socket, and the next one waits for that slice.
  expect(outgoing.writableLength).toBeLessThanOrEqual(SLICE + KiB);
  expect([...reader.buffers].map(({ byteLength }) => byteLength)).toEqual([SLICE, SLICE]);
  expect(reader.furthest).toBeLessThan(64 * KiB * KiB);
  const { reads } = reader;
  socket.destroy();
  expect(await delivered).toMatchObject({ complete: false });
  expect(reader.reads).toBeLessThanOrEqual(reads + 1);
});

test('each of many clients takes little memory', async () => {
  const deliver = createDeliver();
  const readers = Array.from({ length: 40 }, () => new ScriptedReader(1024 ** 3));
  for (const reader of readers) {
    const { port } = await serve({ deliver, reader, end: reader.size });
    await ask(port);
  }
  for (const reader of readers) await untilStill(reader);
  const slices = readers.map(({ buffers }) => [...buffers].map(({ byteLength }) => byteLength / KiB));
  expect([slices[0], slices[15], slices[39]]).toEqual([
    [512, 512],
    [512, 512],
    [192, 192],
  ]);
});
