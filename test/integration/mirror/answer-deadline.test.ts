/** However many steps upstream takes, the client has its headers, or a 504, before it would give up by itself. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { readAnswer, type ReceivedAnswer } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { neverRespond, stallAfter } from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;
const CONTENT = randomBytes(MiB);
const PATH = `/v2/acme/app/blobs/${digestOf(CONTENT)}`;
const DEADLINE = 25_000;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

/** A mirror that waits longer for each of upstream's steps than a client waits for all of them. */
async function start(): Promise<World> {
  const registry = await startFakeRegistry();
  registry.putBlob('acme/app', CONTENT);
  registry.putImage('acme/app', '1');
  const timeouts = { connectMs: 60_000, headersMs: 60_000, bodyMs: 600_000 };
  const mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry, client: { timeouts } }],
  });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Whether the question has been answered by now. */
function watch(answer: Promise<unknown>): () => boolean {
  let isDone = false;
  void answer.finally(() => (isDone = true));
  return () => isDone;
}

function expectLate({ status, body, headers }: ReceivedAnswer): void {
  expect(status).toBe(504);
  expect(JSON.parse(body.toString())).toEqual({
    errors: [
      {
        code: 'UNAVAILABLE',
        message: expect.stringMatching(/^registry\.test: .*not come within 25000 ms/) as string,
      },
    ],
  });
  expect(headers['cache-status']).toBe('larder; fwd=miss; detail=timeout');
}

describe('a cold blob whose headers do not come', () => {
  test('is 504 at the deadline, naming the upstream, and still fetched, for those who came later', async () => {
    await using world = await start();
    const held = neverRespond();
    world.registry.fault({ kind: 'blob' }, held);
    const first = world.mirror.get(PATH);
    await held.reached;
    world.mirror.clock.advance(DEADLINE - 1);
    const timers = world.mirror.clock.pending;
    const later = world.mirror.get(PATH);
    await vi.waitUntil(() => world.mirror.clock.pending > timers);
    world.mirror.clock.advance(1);
    expectLate(await first);
    held.release();
    const answer = await later;
    expect([answer.status, answer.body.equals(CONTENT)]).toEqual([200, true]);
    expect((await world.mirror.get(PATH)).headers['cache-status']).toBe('larder; hit');
    expect(world.registry.requests).toHaveLength(1);
  });

  test('that comes in the end leaves no reader behind', async () => {
    await using world = await start();
    const held = neverRespond();
    const slow = stallAfter(0);
    world.registry.fault({ kind: 'blob' }, held);
    world.registry.fault({ kind: 'blob' }, slow);
    const answer = world.mirror.get(PATH);
    await held.reached;
    world.mirror.clock.advance(DEADLINE);
    expectLate(await answer);
    const [fill] = world.mirror.mirror.fills;
    held.release();
    await slow.reached;
    await expect.poll(() => fill?.hasOpened).toBe(true);
    await expect.poll(() => fill?.followers).toBe(0);
    slow.release();
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect((await world.mirror.get(PATH)).headers['cache-status']).toBe('larder; hit');
  });
});

test('a body may take as long as it likes once its headers are there', async () => {
  await using world = await start();
  const slow = stallAfter(10);
  world.registry.fault({ kind: 'blob' }, slow);
  const incoming = await world.mirror.open(PATH);
  expect(incoming.statusCode).toBe(200);
  world.mirror.clock.advance(10 * DEADLINE);
  slow.release();
  expect((await readAnswer(incoming)).body.equals(CONTENT)).toBe(true);
});

test('that a cold blob has none of the bytes of a range is not waited for longer, either', async () => {
  await using world = await start();
  const slow = stallAfter(10);
  world.registry.fault({ kind: 'blob' }, slow);
  const answer = world.mirror.get(PATH, { headers: { range: `bytes=${2 * MiB}-` } });
  await slow.reached;
  const [fill] = world.mirror.mirror.fills;
  await expect.poll(() => fill?.followers).toBe(1);
  world.mirror.clock.advance(DEADLINE);
  expectLate(await answer);
  slow.release();
  await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
  const again = await world.mirror.get(PATH, { headers: { range: `bytes=${2 * MiB}-` } });
  expect(again.status).toBe(416);
});

test.each([
  ['GET', '/v2/acme/app/manifests/1'],
  ['HEAD', '/v2/acme/app/manifests/1'],
  ['HEAD', PATH],
  ['GET', '/v2/acme/app/tags/list'],
])('%s %s is bounded, too', async (method, path) => {
  await using world = await start();
  const held = neverRespond();
  world.registry.fault({}, held);
  const answer = world.mirror.get(path, { method });
  const isAnswered = watch(answer);
  await held.reached;
  world.mirror.clock.advance(DEADLINE - 1);
  await new Promise(setImmediate);
  expect(isAnswered()).toBe(false);
  world.mirror.clock.advance(1);
  expect((await answer).status).toBe(504);
  held.release();
});
