import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream } from '../../../test/support/stub-upstream.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { Breaker } from './breaker.ts';
import { UpstreamError, type UpstreamFailure, type UpstreamFailureReason } from '../error.ts';

const NAME = parseRepositoryName('acme/app');
const OTHER = parseRepositoryName('acme/other');

function start(): {
  stub: StubUpstream;
  breaker: Breaker;
  clock: ManualClock;
  events: LarderEvent[];
  ask: () => Promise<unknown>;
} {
  const clock = new ManualClock();
  const bus = createEvents();
  const events: LarderEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const stub = new StubUpstream();
  const breaker = new Breaker(stub.upstream, { clock, events: bus });
  const ask = (): Promise<unknown> =>
    breaker.upstream.tags(NAME).catch((error: unknown) => (error as UpstreamError).reason);
  return { stub, breaker, clock, events, ask };
}

function failWith(stub: StubUpstream, failure: UpstreamFailure, reason: UpstreamFailureReason): void {
  stub.answer = () => Promise.reject(new UpstreamError('registry.test', failure, reason, 'it failed'));
}

async function askTimes(ask: () => Promise<unknown>, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await ask();
}

describe('a breaker', () => {
  test('asks a dead upstream five times, and then answers in its place', async () => {
    const { stub, breaker, ask } = start();
    failWith(stub, 'unavailable', 'refused');
    await askTimes(ask, 5);
    expect(breaker.state).toBe('open');
    expect(await ask()).toBe('breaker-open');
    expect(stub.calls).toBe(5);
    expect(breaker.reason).toBe('registry.test: it failed');
  });

  test('tells no client what others had asked for', async () => {
    const { stub, breaker, ask } = start();
    const message = 'GET acme/secret/manifests/1: answered 407';
    stub.answer = () =>
      Promise.reject(new UpstreamError('registry.test', 'unavailable', 'status', message, { status: 407 }));
    await askTimes(ask, 5);
    const told = 'registry.test: answered 407';
    expect(breaker.reason).toBe(told);
    await expect(breaker.upstream.tags(NAME)).rejects.toMatchObject({
      message: `registry.test: not asked for the moment, since it did not answer lately (${told})`,
    });
  });

  test('holds back no other repository if all failures are of one, and closes after an answer', async () => {
    const { stub, breaker, ask } = start();
    failWith(stub, 'unavailable', 'timeout');
    await askTimes(ask, 6);
    expect([breaker.state, stub.calls]).toEqual(['open', 5]);
    stub.answer = () => Promise.resolve(undefined);
    await Promise.all([breaker.upstream.tags(OTHER), breaker.upstream.tags(OTHER)]);
    expect([breaker.state, stub.calls]).toEqual(['closed', 7]);
  });

  test('says when it will ask again', async () => {
    const { stub, breaker, clock, ask } = start();
    failWith(stub, 'unavailable', 'refused');
    await askTimes(ask, 5);
    clock.advance(500);
    await expect(breaker.upstream.tags(NAME)).rejects.toMatchObject({ retryAfterMs: 1_500 });
  });

  test('lets a probe through after a while, and closes when it is answered', async () => {
    const { stub, breaker, clock, ask } = start();
    failWith(stub, 'unavailable', 'timeout');
    await askTimes(ask, 5);
    clock.advance(2_000);
    stub.answer = () => Promise.resolve(undefined);
    await Promise.all([ask(), ask()]);
    expect(stub.calls).toBe(6);
    expect(breaker.state).toBe('closed');
    expect(breaker.reason).toBeUndefined();
  });

  test.each([
    ['unavailable', 'busy', true],
    ['unavailable', 'cancelled', true],
    ['throttled', 'rate-limit', false],
  ] as const)(
    'lets the next call through if a probe ends %s (%s) without asking',
    async (failure, reason, wasAsked) => {
      const { stub, breaker, clock, ask } = start();
      failWith(stub, 'unavailable', 'timeout');
      await askTimes(ask, 5);
      clock.advance(2_000);
      stub.answer = () =>
        Promise.reject(new UpstreamError('registry.test', failure, reason, 'not asked', { wasAsked }));
      expect(await ask()).toBe(reason);
      expect(breaker.state).toBe('open');
      stub.answer = () => Promise.resolve(undefined);
      await ask();
      expect([breaker.state, stub.calls]).toEqual(['closed', 7]);
    },
  );

  test('an older call that did not ask does not end the probe of another', async () => {
    const { stub, breaker, clock, ask } = start();
    const early = Promise.withResolvers<never>();
    stub.answer = () => early.promise;
    const first = ask();
    failWith(stub, 'unavailable', 'timeout');
    await askTimes(ask, 5);
    clock.advance(2_000);
    const probe = Promise.withResolvers<undefined>();
    stub.answer = () => probe.promise;
    const second = ask();
    early.reject(new UpstreamError('registry.test', 'unavailable', 'cancelled', 'it was given up'));
    await first;
    expect(breaker.state).toBe('half-open');
    probe.resolve(undefined);
    await second;
    expect(breaker.state).toBe('closed');
  });

  test('opens again when the probe fails', async () => {
    const { stub, breaker, clock, ask } = start();
    failWith(stub, 'unavailable', 'dns');
    await askTimes(ask, 5);
    clock.advance(2_000);
    expect(await ask()).toBe('dns');
    expect(breaker.state).toBe('open');
    clock.advance(3_999);
    expect(await ask()).toBe('breaker-open');
  });

  test.each<[UpstreamFailure, UpstreamFailureReason]>([
    ['absent', 'not-found'],
    ['denied', 'unauthorized'],
    ['denied', 'rejected'],
    ['throttled', 'rate-limit'],
    ['unavailable', 'content'],
    ['unavailable', 'cancelled'],
    ['unavailable', 'busy'],
    ['unavailable', 'forbidden-address'],
  ])('takes %s (%s) for no failure of the upstream', async (failure, reason) => {
    const { stub, breaker, ask } = start();
    failWith(stub, failure, reason);
    await askTimes(ask, 20);
    expect(breaker.state).toBe('closed');
  });

  test.each([
    ['status', 400, 'closed'],
    ['status', 416, 'closed'],
    ['token', 400, 'closed'],
    ['token', 200, 'closed'],
    ['status', 407, 'open'],
    // Upstream has answered, so only that question is held back.
    ['timeout', 408, 'closed'],
    ['status', 500, 'closed'],
    ['token', 503, 'closed'],
  ] as const)('after five failures (%s) of status %i it is %s', async (reason, status, state) => {
    const { stub, breaker, ask } = start();
    stub.answer = () =>
      Promise.reject(new UpstreamError('registry.test', 'unavailable', reason, 'it failed', { status }));
    await askTimes(ask, 5);
    expect(breaker.state).toBe(state);
  });

  test('counts only failures in a row', async () => {
    const { stub, breaker, ask } = start();
    for (let i = 0; i < 10; i += 1) {
      failWith(stub, 'unavailable', 'status');
      await askTimes(ask, 4);
      failWith(stub, 'absent', 'not-found');
      await ask();
    }
    expect(breaker.state).toBe('closed');
  });

  test('emits each change once', async () => {
    const { stub, clock, events, ask } = start();
    failWith(stub, 'unavailable', 'refused');
    await askTimes(ask, 20);
    clock.advance(2_000);
    stub.answer = () => Promise.resolve(undefined);
    await askTimes(ask, 3);
    const states = events.map((event) => event.kind === 'breaker-changed' && event.state);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  test('probes in a row that did not ask are emitted as one', async () => {
    const { stub, clock, events, ask } = start();
    failWith(stub, 'unavailable', 'refused');
    await askTimes(ask, 5);
    clock.advance(2_000);
    failWith(stub, 'unavailable', 'cancelled');
    await askTimes(ask, 10);
    failWith(stub, 'unavailable', 'refused');
    await ask();
    const states = events.map((event) => event.kind === 'breaker-changed' && event.state);
    expect(states).toEqual(['open', 'half-open', 'open']);
  });
});

describe('an answer by which upstream fails', () => {
  const fail = (stub: StubUpstream, status: number): void => {
    const message = 'GET acme/secret/tags/list: it failed';
    stub.answer = () =>
      Promise.reject(new UpstreamError('registry.test', 'unavailable', 'status', message, { status }));
  };

  test('five times in a row holds back that question alone, and is asked again later', async () => {
    const { stub, breaker, clock, ask } = start();
    fail(stub, 500);
    await askTimes(ask, 10);
    expect([breaker.state, stub.calls]).toEqual(['closed', 5]);
    await expect(breaker.upstream.tags(NAME)).rejects.toMatchObject({
      reason: 'breaker-open',
      retryAfterMs: 2_000,
      wasAsked: false,
      message:
        'registry.test: not asked for this for the moment, since it did not answer lately (registry.test: answered 500)',
    });
    stub.answer = () => Promise.resolve(undefined);
    await breaker.upstream.tags(NAME, { next: 'another page' });
    await breaker.upstream.tags(OTHER);
    clock.advance(2_000);
    await ask();
    expect(stub.calls).toBe(8);
  });

  test('never opens the breaker while other questions are answered, however many fail', async () => {
    const { stub, breaker, clock } = start();
    for (let second = 0; second < 60; second += 1) {
      fail(stub, 500);
      for (let i = 0; i < 10; i += 1) {
        await breaker.upstream.tags(parseRepositoryName(`broken/${second}-${i}`)).catch(() => {});
      }
      stub.answer = () => Promise.resolve(undefined);
      await breaker.upstream.tags(NAME);
      expect(breaker.state).toBe('closed');
      clock.advance(1_000);
    }
    expect(stub.calls).toBe(660);
  });

  test('opens the breaker if several repositories agree for a while; then one failure holds back the next question', async () => {
    const { stub, breaker, clock, events } = start();
    fail(stub, 503);
    const asks = [NAME, OTHER, parseRepositoryName('acme/third')];
    for (let second = 0; second < 6; second += 1) {
      for (const name of asks) await breaker.upstream.tags(name).catch(() => {});
      clock.advance(1_000);
    }
    expect([breaker.state, breaker.reason]).toEqual(['open', 'registry.test: answered 503']);
    const calls = stub.calls;
    const next = parseRepositoryName('acme/next');
    for (let i = 0; i < 3; i += 1) await breaker.upstream.tags(next).catch(() => {});
    expect(stub.calls).toBe(calls + 1);
    stub.answer = () => Promise.resolve(undefined);
    await breaker.upstream.tags(parseRepositoryName('acme/last'));
    expect(breaker.state).toBe('closed');
    const states = events.map((event) => event.kind === 'breaker-changed' && event.state);
    expect(states).toEqual(['open', 'closed']);
  });

  test('a loop (508) does not count: it says nothing about upstream, since other requests take other routes', async () => {
    const { stub, breaker, ask } = start();
    fail(stub, 508);
    await askTimes(ask, 10);
    expect([breaker.state, stub.calls]).toEqual(['closed', 10]);
  });

  test('a loop does not close the breaker, and the next call is the probe', async () => {
    const { stub, breaker, clock, ask } = start();
    failWith(stub, 'unavailable', 'refused');
    await askTimes(ask, 5);
    clock.advance(2_000);
    fail(stub, 508);
    expect(await ask()).toBe('status');
    expect(breaker.state).toBe('open');
    stub.answer = () => Promise.resolve(undefined);
    await ask();
    expect([breaker.state, stub.calls]).toEqual(['closed', 7]);
  });

  test('says that upstream is there', async () => {
    const { stub, breaker, ask } = start();
    for (let i = 0; i < 5; i += 1) {
      failWith(stub, 'unavailable', 'refused');
      await askTimes(ask, 4);
      fail(stub, 500);
      await breaker.upstream.tags(NAME, { next: `page ${i}` }).catch(() => {});
    }
    expect(breaker.state).toBe('closed');
  });
});
