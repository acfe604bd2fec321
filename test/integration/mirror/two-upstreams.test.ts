/** One digest from two upstreams: neither of them has a hand in what the other's clients get. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { readAnswer } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import {
  cutAfter,
  flip,
  instead,
  neverRespond,
  stallAfter,
  registryError,
} from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;
const CONTENT = randomBytes(3 * MiB + 12_345);
const DIGEST = digestOf(CONTENT);
const GOOD = `/v2/good.test/acme/app/blobs/${DIGEST}`;
const OTHER = `/v2/other.test/acme/app/blobs/${DIGEST}`;

interface World extends AsyncDisposable {
  readonly good: FakeRegistry;
  readonly other: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(): Promise<World> {
  const good = await startFakeRegistry();
  const other = await startFakeRegistry();
  for (const registry of [good, other]) registry.putBlob('acme/app', CONTENT);
  const mirror = await startMirror({
    upstreams: [
      { name: 'good.test', registry: good },
      { name: 'other.test', registry: other },
    ],
  });
  return {
    good,
    other,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await good[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

async function expectWhole({ mirror, good }: World): Promise<void> {
  const answer = await mirror.get(GOOD);
  expect([answer.status, answer.complete, answer.body.equals(CONTENT)]).toEqual([200, true, true]);
  expect(good.count({ kind: 'blob', method: 'GET' })).toBe(1);
}

describe('while a client of one upstream waits for it, a client of the other one is served, where it', () => {
  test('sends a byte now and then', async () => {
    await using world = await start();
    const drip = stallAfter(MiB);
    world.other.fault({ kind: 'blob' }, drip);
    const waiting = world.mirror.get(OTHER);
    await drip.reached;
    await expect.poll(() => world.mirror.fill(DIGEST, 'other.test')?.offset).toBe(MiB);
    drip.allow(1);
    await expectWhole(world);
    drip.release();
    expect((await waiting).body.equals(CONTENT)).toBe(true);
  });

  test('does not answer', async () => {
    await using world = await start();
    const silent = neverRespond();
    world.other.fault({ kind: 'blob' }, silent);
    const waiting = world.mirror.get(OTHER);
    await silent.reached;
    await expectWhole(world);
    silent.release();
    expect((await waiting).complete).toBe(true);
  });

  test.each([
    ['wrong bytes', flip(10)],
    ['a wrong last byte', flip(CONTENT.length - 1)],
  ])('sends %s', async (_, wrong) => {
    await using world = await start();
    const stalled = stallAfter(MiB);
    world.other.fault({ kind: 'blob' }, wrong, stalled);
    const cheated = world.mirror.get(OTHER);
    await stalled.reached;
    const right = await world.mirror.open(GOOD);
    stalled.release();
    expect((await cheated).complete).toBe(false);
    expect((await readAnswer(right)).body.equals(CONTENT)).toBe(true);
  });

  test('dies in the middle', async () => {
    await using world = await start();
    const held = stallAfter(MiB);
    world.good.fault({ kind: 'blob' }, held);
    const right = world.mirror.get(GOOD);
    await held.reached;
    const end = world.other.fault({ kind: 'blob', times: 1 }, cutAfter(MiB));
    world.other.fault({ kind: 'blob' }, (reply) =>
      reply.status === 206 ? registryError(404, 'BLOB_UNKNOWN') : reply,
    );
    expect((await world.mirror.get(OTHER)).complete).toBe(false);
    end();
    held.release();
    expect((await right).body.equals(CONTENT)).toBe(true);
    expect(world.good.count({ kind: 'blob' })).toBe(1);
  });
});

test('what breaks off at one upstream is not taken up at the other', async () => {
  await using world = await start();
  const stalled = stallAfter(MiB);
  world.good.fault({ kind: 'blob', times: 1 }, stalled, cutAfter(MiB + 1));
  world.good.fault({ kind: 'blob' }, (reply) =>
    reply.status === 206 ? instead(registryError(404, 'BLOB_UNKNOWN'))(reply) : reply,
  );
  const first = world.mirror.get(GOOD);
  await stalled.reached;
  const held = stallAfter(MiB);
  world.other.fault({ kind: 'blob' }, held);
  const second = world.mirror.get(OTHER);
  await held.reached;
  stalled.release();
  expect((await first).complete).toBe(false);
  held.release();
  expect((await second).body.equals(CONTENT)).toBe(true);
  expect(world.other.requests.map(({ headers }) => headers.range)).toEqual([undefined]);
});

test('two fills of one digest that end at once leave its bytes once, for both', async () => {
  await using world = await start();
  const stalls = [world.good, world.other].map((registry) => {
    const stalled = stallAfter(CONTENT.length - 1);
    registry.fault({ kind: 'blob' }, stalled);
    return stalled;
  });
  const answers = [GOOD, OTHER].map((path) => world.mirror.get(path));
  await Promise.all(stalls.map(({ reached }) => reached));
  for (const stalled of stalls) stalled.release();
  for (const { body } of await Promise.all(answers)) expect(body.equals(CONTENT)).toBe(true);
  await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
  expect(await world.mirror.files('blobs/sha256')).toHaveLength(1);
  for (const path of [GOOD, OTHER]) {
    expect((await world.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
  }
});

describe('what is given through a repository', () => {
  test('is only what has come whole and right: headers alone open nothing', async () => {
    await using world = await start();
    const { good, mirror } = world;
    const end = good.fault({ kind: 'blob', method: 'GET', repository: 'acme/evil', times: 1 }, () => ({
      status: 200,
      headers: {},
      body: Buffer.from('<html>'),
    }));
    const evil = `/v2/good.test/acme/evil/blobs/${DIGEST}`;
    const wrong = await mirror.get(evil);
    expect(wrong.complete && wrong.status === 200).toBe(false);
    end();
    await expectWholeElsewhere(world);
    mirror.clock.advance(60_000);
    expect((await mirror.get(evil)).status).toBe(404);
    expect((await mirror.get(evil, { headers: { range: 'bytes=0-9' } })).status).toBe(404);
    expect((await mirror.head(evil)).status).toBe(404);
  });

  test('is not what a transfer that was broken off has begun', async () => {
    await using world = await start();
    const { good, mirror } = world;
    good.putBlob('acme/gone', CONTENT);
    const gone = `/v2/good.test/acme/gone/blobs/${DIGEST}`;
    good.fault({ kind: 'blob', repository: 'acme/gone', times: 1 }, cutAfter(MiB));
    good.fault({ kind: 'blob', repository: 'acme/gone' }, (reply) =>
      reply.status === 206 ? registryError(404, 'BLOB_UNKNOWN') : reply,
    );
    expect((await mirror.get(gone)).complete).toBe(false);
    good.deleteDigest('acme/gone', DIGEST);
    await expectWholeElsewhere(world);
    expect((await mirror.get(gone)).status).toBe(404);
  });

  test('is nothing of which another repository sent a part', async () => {
    await using world = await start();
    await fillFromTwo(world);
    world.good.deleteDigest('acme/app', DIGEST);
    expect((await world.mirror.get(GOOD)).status).toBe(404);
  });

  test('is of its upstream though another repository sent a part: the first one’s word is enough', async () => {
    await using world = await start();
    await fillFromTwo(world);
    const before = world.good.count({ kind: 'blob', method: 'GET' });
    const answer = await world.mirror.get(GOOD);
    expect([answer.status, answer.body.equals(CONTENT)]).toEqual([200, true]);
    expect(world.good.count({ kind: 'blob', method: 'GET' })).toBe(before);
    expect(world.good.count({ kind: 'blob', method: 'HEAD', repository: 'acme/app' })).toBe(1);
  });
});

/** A client of acme/app begins the fill, which stalls and goes on at acme/other, whose client has joined it. */
async function fillFromTwo({ good, mirror }: World): Promise<void> {
  good.putBlob('acme/other', CONTENT);
  const stalled = stallAfter(MiB);
  good.fault({ kind: 'blob', method: 'GET', repository: 'acme/app', times: 1 }, stalled);
  const first = mirror.get(GOOD);
  await stalled.reached;
  await expect.poll(() => mirror.fill(DIGEST)?.offset).toBe(MiB);
  const second = mirror.get(`/v2/good.test/acme/other/blobs/${DIGEST}`);
  await expect.poll(() => mirror.fill(DIGEST)?.followers).toBe(2);
  mirror.clock.advance(5_000);
  for (const { body } of await Promise.all([first, second])) expect(body.equals(CONTENT)).toBe(true);
  stalled.release();
}

async function expectWholeElsewhere({ mirror }: World): Promise<void> {
  const answer = await mirror.get(GOOD);
  expect([answer.complete, answer.body.equals(CONTENT)]).toEqual([true, true]);
}
