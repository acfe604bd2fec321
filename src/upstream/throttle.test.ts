import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { StubUpstream } from '../../test/support/stub-upstream.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { parseReference } from '../oci/reference.ts';
import { UpstreamError, type UpstreamFailureReason } from './error.ts';
import { respectThrottling } from './throttle.ts';
import type { Upstream } from './upstream.ts';

const NAME = parseRepositoryName('acme/app');
const LATEST = parseReference('latest');

function start(): { stub: StubUpstream; upstream: Upstream; clock: ManualClock } {
  const clock = new ManualClock();
  const stub = new StubUpstream();
  return { stub, upstream: respectThrottling(stub.upstream, clock), clock };
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

test('after Retry-After upstream is asked again, and not before; who asks meanwhile is told what is left', async () => {
  const { stub, upstream, clock } = start();
  throttle(stub, 'rate-limit', 10_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  clock.advance(4_000);
  const error = await errorOf(upstream.manifest(NAME, LATEST));
  expect([error.failure, error.retryAfterMs, error.message]).toEqual([
    'throttled',
    6_000,
    'registry.test: too many',
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

test('the abuse limit holds everything back', async () => {
  const { stub, upstream } = start();
  throttle(stub, 'abuse-limit');
  await errorOf(upstream.manifest(NAME, LATEST));
  for (const call of [upstream.resolve(NAME, LATEST), upstream.tags(NAME), upstream.manifest(NAME, LATEST)]) {
    expect((await errorOf(call)).reason).toBe('abuse-limit');
  }
  expect(stub.calls).toBe(1);
});

test('however long upstream says, it is asked again after a quarter of an hour', async () => {
  const { stub, upstream, clock } = start();
  throttle(stub, 'rate-limit', 86_400_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  clock.advance(15 * 60_000);
  await errorOf(upstream.manifest(NAME, LATEST));
  expect(stub.calls).toBe(2);
});
