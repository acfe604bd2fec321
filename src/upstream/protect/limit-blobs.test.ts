import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream } from '../../../test/support/stub-upstream.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { UpstreamError } from '../error.ts';
import { limitBlobs } from './limit-blobs.ts';
import { FairTurns } from './fair-turns.ts';
import type { Demand, FetchedBlob, Upstream } from '../upstream.ts';

const NAME = parseRepositoryName('acme/app');
const DIGEST = digestOf('x');

function start(max: number): {
  clock: ManualClock;
  stub: StubUpstream;
  upstream: Upstream;
  get: (signal?: AbortSignal) => Promise<FetchedBlob>;
} {
  const clock = new ManualClock();
  const stub = new StubUpstream();
  stub.answer = () =>
    Promise.resolve({ body: bodyOf('a', 'b'), start: 0, size: 2 }) as unknown as Promise<undefined>;
  const turns = { bodies: new FairTurns(max), questions: new FairTurns(max) };
  const upstream = limitBlobs(stub.upstream, { turns, waitMs: 1_000 }, clock);
  return { clock, stub, upstream, get: (signal) => upstream.blob(NAME, DIGEST, { signal }) };
}

function bodyOf(...chunks: string[]): FetchedBlob['body'] {
  return {
    destroy: () => undefined,
    async *[Symbol.asyncIterator]() {
      for (const chunk of chunks) yield await Promise.resolve([Buffer.from(chunk)]);
    },
  };
}

async function read({ body }: FetchedBlob): Promise<string> {
  let text = '';
  for await (const pieces of body) text += Buffer.concat(pieces).toString();
  return text;
}

test('beyond the limit a blob waits until another has been read', async () => {
  const { stub, get } = start(2);
  const first = await get();
  await get();
  const third = get();
  expect(stub.calls).toBe(2);
  expect(await read(first)).toBe('ab');
  expect(await read(await third)).toBe('ab');
  expect(stub.calls).toBe(3);
});

test('a call that may not wait is refused at once, and leaves nothing behind', async () => {
  const { clock, stub, upstream, get } = start(1);
  const first = await get();
  const second = upstream.blob(NAME, DIGEST, { mayWait: false });
  await expect(second).rejects.toMatchObject({ reason: 'busy', wasAsked: false });
  expect([stub.calls, clock.pending]).toEqual([1, 0]);
  first.body.destroy();
  expect(await read(await upstream.blob(NAME, DIGEST, { mayWait: false }))).toBe('ab');
});

test('a call that may not wait takes no turn from a transfer that no client waits for', async () => {
  const { upstream } = start(1);
  const watch = (): (() => void) => () => undefined;
  const idle = await upstream.blob(NAME, DIGEST, { demand: { client: undefined, watch } });
  const renewal = upstream.blob(NAME, DIGEST, { mayWait: false, demand: { client: 'a', watch } });
  await expect(renewal).rejects.toMatchObject({ reason: 'busy' });
  expect(await read(idle)).toBe('ab');
});

test('beyond the limit a blob waits until another is given up', async () => {
  const { get } = start(1);
  const first = await get();
  const second = get();
  first.body.destroy();
  first.body.destroy();
  const third = get();
  expect(await read(await second)).toBe('ab');
  expect(await read(await third)).toBe('ab');
});

test('beyond the limit a blob waits until another has failed', async () => {
  const { stub, get } = start(1);
  const { promise, reject } = Promise.withResolvers<never>();
  const answer = stub.answer;
  stub.answer = () => promise;
  const first = get();
  first.catch(() => undefined);
  await expect.poll(() => stub.calls).toBe(1);
  stub.answer = answer;
  const second = get();
  reject(new UpstreamError('registry.test', 'absent', 'not-found', 'no'));
  await expect(first).rejects.toThrow('no');
  expect(await read(await second)).toBe('ab');
});

test('a call that waits too long is refused, and takes no turn', async () => {
  const { clock, get } = start(1);
  const first = await get();
  const second = get();
  clock.advance(1_000);
  await expect(second).rejects.toMatchObject({ failure: 'unavailable', reason: 'busy' });
  await read(first);
  expect(await read(await get())).toBe('ab');
});

test('a call that is given up while it waits takes no turn', async () => {
  const { get } = start(1);
  const first = await get();
  const leaving = new AbortController();
  const second = get(leaving.signal);
  leaving.abort();
  await expect(second).rejects.toMatchObject({ reason: 'cancelled' });
  await read(first);
  expect(await read(await get())).toBe('ab');
});

test('a turn is not lost to a call that is given up in the moment the turn comes free', async () => {
  const { get } = start(1);
  const first = await get();
  const giveUp = new AbortController();
  const second = get(giveUp.signal);
  const third = get();
  giveUp.abort();
  first.body.destroy();
  await expect(second).rejects.toMatchObject({ reason: 'cancelled' });
  expect(await read(await third)).toBe('ab');
});

test('a call that was given up before it began waits for no turn', async () => {
  const { clock, get } = start(1);
  await get();
  await expect(get(AbortSignal.abort())).rejects.toMatchObject({ reason: 'cancelled' });
  expect(clock.pending).toBe(0);
});

test('a transfer whose client left while it was opened yields to a client that waits', async () => {
  const { stub, upstream } = start(1);
  const { promise, resolve } = Promise.withResolvers<FetchedBlob>();
  const answer = stub.answer;
  stub.answer = () => promise as unknown as Promise<undefined>;
  const left: Demand & { client: string | undefined } = { client: 'a', watch: () => () => undefined };
  const first = upstream.blob(NAME, DIGEST, { demand: left });
  await expect.poll(() => stub.calls).toBe(1);
  stub.answer = answer;
  const second = upstream.blob(NAME, DIGEST, { demand: { client: 'b', watch: () => () => undefined } });
  left.client = undefined;
  const destroyed: unknown[] = [];
  const body = { ...bodyOf('a'), destroy: (error?: Error) => destroyed.push(error) };
  resolve({ body, start: 0, size: 1 });
  await first;
  expect(await read(await second)).toBe('ab');
  expect(destroyed).toEqual([expect.objectContaining({ reason: 'busy' })]);
});

test('questions about blobs wait for each other, and not for blobs', async () => {
  const { upstream, stub, get, clock } = start(1);
  await get();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  stub.answer = () => promise;
  const [first, second, third] = [1, 2, 3].map(() => upstream.statBlob(NAME, DIGEST));
  await expect.poll(() => stub.calls).toBe(2);
  clock.advance(1_000);
  await expect(third).rejects.toMatchObject({ reason: 'busy' });
  await expect(second).rejects.toMatchObject({ reason: 'busy' });
  resolve(undefined);
  await first;
  await upstream.statBlob(NAME, DIGEST);
  expect(stub.calls).toBe(3);
});

test('questions take their turns fairly: one client leaves some to others, and calls without a client go last', async () => {
  const { upstream, stub } = start(4);
  const answers: (() => void)[] = [];
  const order: string[] = [];
  stub.answer = () => new Promise<undefined>((resolve) => answers.push(() => resolve(undefined)));
  const ask = (client: string | undefined): void => {
    const demand = { client, watch: () => () => {} };
    void upstream.statBlob(NAME, DIGEST, { demand }).then(() => order.push(client ?? 'background'));
  };
  for (let i = 0; i < 10; i += 1) ask('many');
  await expect.poll(() => stub.calls).toBe(3);
  ask(undefined);
  ask(undefined);
  await expect.poll(() => stub.calls).toBe(4);
  ask('another');
  answers[3]?.();
  await expect.poll(() => stub.calls).toBe(5);
  answers[4]?.();
  await expect.poll(() => order).toEqual(['background', 'another']);
});
