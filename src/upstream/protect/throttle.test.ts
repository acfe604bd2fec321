import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream } from '../../../test/support/stub-upstream.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { parseReference } from '../../oci/reference.ts';
import { UpstreamError, type UpstreamFailureReason } from '../error.ts';
import { respectThrottling } from './throttle.ts';
import type { Upstream } from '../upstream.ts';

const NAME = parseRepositoryName('acme/app');
const DIGEST = digestOf('content');
const LATEST = parseReference('latest');

function start(limitsPulls = true): { stub: StubUpstream; upstream: Upstream; clock: ManualClock } {
  const clock = new ManualClock();
  const stub = new StubUpstream();
  return { stub, upstream: respectThrottling(stub.upstream, { clock, limitsPulls }), clock };
}

function throttle(stub: StubUpstream, reason: UpstreamFailureReason, retryAfterMs?: number): void {
  stub.answer = () =>
    Promise.reject(new UpstreamError('registry.test', 'throttled', reason, 'too many', { retryAfterMs }));
}

async function errorOf(call: Promise<unknown>): Promise<UpstreamError> {
  return call.then(
    () => {
      throw new Error('expected it to fail');
    },
    (error: unknown) => error as UpstreamError,
  );
}

test('upstream is asked again after Retry-After, and not before; callers meanwhile are told the time that is left', async () => {
  const { stub, upstream, clock } = start();
  throttle(stub, 'rate-limit', 10_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  clock.advance(4_000);
  const error = await errorOf(upstream.manifest(NAME, LATEST));
  expect([error.failure, error.retryAfterMs, error.message]).toEqual([
    'throttled',
    6_000,
    'registry.test: limits requests for manifests; asked again in 6 s',
  ]);
  expect(stub.calls).toBe(1);
  stub.answer = () => Promise.resolve(undefined);
  clock.advance(6_000);
  await upstream.manifest(NAME, LATEST);
  expect(stub.calls).toBe(2);
});

test('the pull limit holds manifests back and nothing else', async () => {
  const { stub, upstream } = start();
  throttle(stub, 'rate-limit', 10_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  stub.answer = () => Promise.resolve(undefined);
  await upstream.resolve(NAME, LATEST);
  await upstream.tags(NAME);
  await errorOf(upstream.manifest(NAME, LATEST));
  expect(stub.calls).toBe(3);
});

type Question = (upstream: Upstream) => Promise<unknown>;
const QUESTIONS: Readonly<Record<string, Question>> = {
  'GET of a manifest': (upstream) => upstream.manifest(NAME, LATEST),
  'HEAD of a manifest': (upstream) => upstream.resolve(NAME, LATEST),
  'a blob': (upstream) => upstream.blob(NAME, DIGEST),
  'HEAD of a blob': (upstream) => upstream.statBlob(NAME, DIGEST),
  'a tag list': (upstream) => upstream.tags(NAME),
  referrers: (upstream) => upstream.referrers(NAME, DIGEST),
};
const MANIFESTS = ['GET of a manifest', 'HEAD of a manifest'];
const BLOBS = ['a blob', 'HEAD of a blob'];
const LISTS = ['a tag list', 'referrers'];

async function heldBack(stub: StubUpstream, upstream: Upstream): Promise<string[]> {
  stub.answer = () => Promise.resolve(undefined);
  const held: string[] = [];
  for (const [name, ask] of Object.entries(QUESTIONS)) await ask(upstream).catch(() => held.push(name));
  return held;
}

test.each<[string, UpstreamFailureReason, readonly string[]]>([
  ['GET of a manifest', 'rate-limit', ['GET of a manifest']],
  ['HEAD of a manifest', 'rate-limit', MANIFESTS],
  ['HEAD of a manifest', 'abuse-limit', MANIFESTS],
  ['a blob', 'rate-limit', BLOBS],
  ['HEAD of a blob', 'abuse-limit', BLOBS],
  ['a tag list', 'rate-limit', LISTS],
  ['referrers', 'rate-limit', LISTS],
  ['a blob', 'token', Object.keys(QUESTIONS)],
])('with the pull limit, a 429 to %s (%s) holds back %j and nothing else', async (name, reason, expected) => {
  const { stub, upstream } = start();
  throttle(stub, reason);
  await QUESTIONS[name]?.(upstream).catch(() => {});
  expect(await heldBack(stub, upstream)).toEqual(expected);
});

test('upstream is asked again after a quarter of an hour, even if it says longer', async () => {
  const { stub, upstream, clock } = start();
  throttle(stub, 'rate-limit', 86_400_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  clock.advance(15 * 60_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  expect(stub.calls).toBe(2);
});

const tag = (name: string): ReturnType<typeof parseReference> => parseReference(name);

test('without the pull limit, a 429 holds back its question alone', async () => {
  const { stub, upstream, clock } = start(false);
  throttle(stub, 'rate-limit', 900_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  await errorOf(upstream.manifest(NAME, LATEST));
  expect(stub.calls).toBe(1);
  stub.answer = () => Promise.resolve(undefined);
  await upstream.manifest(NAME, tag('other'));
  await upstream.manifest(parseRepositoryName('acme/other'), LATEST);
  clock.advance(900_000);
  await upstream.manifest(NAME, LATEST);
  expect(stub.calls).toBe(4);
});

test('three questions in a row with a 429 hold back all of their kind, for at most a minute', async () => {
  const { stub, upstream, clock } = start(false);
  throttle(stub, 'rate-limit', 900_000);
  for (const name of ['a', 'b', 'c', 'd']) await errorOf(upstream.manifest(NAME, tag(name)));
  expect(stub.calls).toBe(3);
  stub.answer = () => Promise.resolve(undefined);
  await upstream.blob(NAME, DIGEST);
  clock.advance(60_000);
  await upstream.manifest(NAME, tag('d'));
  expect(stub.calls).toBe(5);
});

test('questions do not agree if one between them gets any other answer, even a refusal', async () => {
  const { stub, upstream } = start(false);
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    throttle(stub, 'rate-limit', 900_000);
    await errorOf(upstream.manifest(NAME, tag(name)));
    const absent = new UpstreamError('registry.test', 'absent', 'not-found', 'no', { status: 404 });
    stub.answer = () => Promise.reject(absent);
    await errorOf(upstream.manifest(NAME, tag(`${name}-absent`)));
  }
  expect(stub.calls).toBe(10);
});

test('a loop is no answer: questions before and after it still agree', async () => {
  const { stub, upstream } = start(false);
  const ask = (tag: string): Promise<UpstreamError> => errorOf(upstream.manifest(NAME, parseReference(tag)));
  throttle(stub, 'rate-limit', 10_000);
  for (const tag of ['a', 'b']) await ask(tag);
  stub.answer = () =>
    Promise.reject(new UpstreamError('registry.test', 'unavailable', 'status', 'a loop', { status: 508 }));
  await ask('looped');
  throttle(stub, 'rate-limit', 10_000);
  await ask('c');
  expect((await ask('d')).wasAsked).toBe(false);
});
