import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { readByteranges } from '../../support/byteranges.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { readAnswer } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { stallAfter } from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;
const CONTENT = randomBytes(100 * MiB);
const DIGEST = digestOf(CONTENT);
const PATH = `/v2/acme/app/blobs/${DIGEST}`;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(content = CONTENT): Promise<World> {
  const registry = await startFakeRegistry();
  registry.putBlob('acme/app', content);
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

type Got = Awaited<ReturnType<MirrorFixture['get']>>;

function expectParts(answer: Got, content: Buffer, expected: readonly (readonly [number, number])[]): void {
  expect([answer.status, answer.complete]).toEqual([206, true]);
  expect(answer.headers['content-length']).toBe(String(answer.body.length));
  expect(answer.headers).not.toHaveProperty('content-range');
  const parts = readByteranges(answer.body, answer.headers['content-type']);
  expect(parts.map(({ start, end }) => [start, end])).toEqual(expected);
  for (const { start, end, size, contentType, bytes } of parts) {
    expect([size, contentType]).toEqual([content.length, 'application/octet-stream']);
    expect(bytes.equals(content.subarray(start, end))).toBe(true);
  }
}

const SMALL = randomBytes(3 * MiB);
const SMALL_DIGEST = digestOf(SMALL);
const SMALL_PATH = `/v2/acme/app/blobs/${SMALL_DIGEST}`;

test('as many as podman names at once, with the offsets of a layer of ten gigabytes', async () => {
  await using world = await start(SMALL);
  await world.mirror.get(SMALL_PATH);
  const parts = Array.from({ length: 1024 }, (_, i) => [i * 2_000, i * 2_000 + 10] as const);
  const offset = (position: number): string => String(position).padStart(11, '0');
  const range = `bytes=${parts.map(([start, end]) => `${offset(start)}-${offset(end - 1)}`).join()}`;
  expectParts(await world.mirror.get(SMALL_PATH, { headers: { range } }), SMALL, parts);
});

test.each(['cold', 'warm'])('of a %s blob: the parts asked for, and one fetch', async (temperature) => {
  await using world = await start(SMALL);
  if (temperature === 'warm') await world.mirror.get(SMALL_PATH);
  const range = `bytes=2000000-2099999,0-9,10-19,-5`;
  const answer = await world.mirror.get(SMALL_PATH, { headers: { range } });
  expectParts(answer, SMALL, [
    [0, 10],
    [10, 20],
    [2_000_000, 2_100_000],
    [SMALL.length - 5, SMALL.length],
  ]);
  // The client gets the parts, and little more.
  expect(answer.body.length).toBeLessThan(100_025 + 4 * 200 + 100);
  expect(world.registry.count({ kind: 'blob', method: 'GET' })).toBe(1);
});

test('a boundary is never used twice', async () => {
  await using world = await start(SMALL);
  const headers = { range: 'bytes=0-9,20-29' };
  const [one, two] = [
    await world.mirror.get(SMALL_PATH, { headers }),
    await world.mirror.get(SMALL_PATH, { headers }),
  ];
  expect(one.headers['content-type']).not.toBe(two.headers['content-type']);
});

test.each([
  ['that overlap', 'bytes=0-10,10-19', 0, 20],
  ['of which one has bytes', `bytes=5-9,${SMALL.length}-`, 5, 10],
  ['that overlap and cover the whole', 'bytes=0-1000000,1000000-', 0, SMALL.length],
])('ranges %s are one part without a head', async (_, range, start_, end) => {
  await using world = await start(SMALL);
  const answer = await world.mirror.get(SMALL_PATH, { headers: { range } });
  expect([answer.status, answer.headers['content-type'], answer.headers['content-range']]).toEqual([
    206,
    'application/octet-stream',
    `bytes ${start_}-${end - 1}/${SMALL.length}`,
  ]);
  expect(answer.body.equals(SMALL.subarray(start_, end))).toBe(true);
});

// podman 4 takes each part of an eStargz layer for the range that it has asked for in its place; files without a gap
// between them are the rule there.
test.each(['cold', 'warm'])('ranges of a %s blob that touch are a part each', async (temperature) => {
  await using world = await start(SMALL);
  if (temperature === 'warm') await world.mirror.get(SMALL_PATH);
  const starts = [0, 100_000, 200_000, 300_000];
  const range = `bytes=${starts.map((at) => `${at}-${at + 99_999}`).join(',')}`;
  const answer = await world.mirror.get(SMALL_PATH, { headers: { range } });
  expectParts(
    answer,
    SMALL,
    starts.map((at) => [at, at + 100_000] as const),
  );
});

test('ranges none of which has a byte are 416', async () => {
  await using world = await start(SMALL);
  const headers = { range: `bytes=${SMALL.length}-,-0` };
  const answer = await world.mirror.get(SMALL_PATH, { headers });
  expect([answer.status, answer.headers['content-range']]).toEqual([416, `bytes */${SMALL.length}`]);
});

test('If-Range with another tag, and HEAD, get the whole', async () => {
  await using world = await start(SMALL);
  const range = 'bytes=0-9,20-29';
  const other = await world.mirror.get(SMALL_PATH, { headers: { range, 'if-range': '"other"' } });
  expect([other.status, other.body.length]).toEqual([200, SMALL.length]);
  const same = await world.mirror.get(SMALL_PATH, { headers: { range, 'if-range': `"${SMALL_DIGEST}"` } });
  expectParts(same, SMALL, [
    [0, 10],
    [20, 30],
  ]);
  const head = await world.mirror.head(SMALL_PATH, { headers: { range } });
  expect([head.status, head.headers['content-length']]).toEqual([200, String(SMALL.length)]);
});

test('parts far ahead of a fill are fetched one by one, and the near one comes with the fill', async () => {
  await using world = await start();
  const stalled = stallAfter(MiB);
  world.registry.fault({ digest: DIGEST, times: 1 }, stalled);
  const leader = world.mirror.get(PATH);
  await stalled.reached;
  const range = `bytes=0-99,${50 * MiB}-${50 * MiB + 9},${90 * MiB}-${90 * MiB + 9}`;
  const answer = await world.mirror.get(PATH, { headers: { range } });
  expectParts(answer, CONTENT, [
    [0, 100],
    [50 * MiB, 50 * MiB + 10],
    [90 * MiB, 90 * MiB + 10],
  ]);
  const alone = world.registry.requests.slice(1);
  expect(alone.map(({ headers, bytesSent }) => [headers.range, bytesSent])).toEqual([
    [`bytes=${50 * MiB}-${50 * MiB + 9}`, 10],
    [`bytes=${90 * MiB}-${90 * MiB + 9}`, 10],
  ]);
  stalled.release();
  expect((await leader).body.equals(CONTENT)).toBe(true);
});

test('one-byte parts cost upstream a few requests and no more: the rest comes with the fill', async () => {
  await using world = await start();
  const stalled = stallAfter(MiB);
  world.registry.fault({ digest: DIGEST, times: 1 }, stalled);
  const leader = world.mirror.get(PATH);
  await stalled.reached;
  const starts = Array.from({ length: 40 }, (_, at) => (20 + at) * MiB);
  const range = `bytes=${starts.map((at) => `${at}-${at}`).join(',')}`;
  const answer = await world.mirror.open(PATH, { headers: { range } });
  await expect.poll(() => world.registry.requests.length).toBe(1 + 16);
  stalled.release();
  expectParts(
    await readAnswer(answer),
    CONTENT,
    starts.map((at) => [at, at + 1] as const),
  );
  expect((await leader).complete).toBe(true);
  expect(world.registry.requests).toHaveLength(17);
});
