import type { ProxyAgent } from 'undici';
import { expect, test } from 'vitest';
import { FakeNetwork } from '../../../test/support/fake-network.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents } from '../../events.ts';
import { AddressGuard } from './address-guard.ts';
import { Dispatchers } from './dispatchers.ts';
import { Trust } from './trust.ts';

const TARGET = new URL('https://registry.test/v2/');

/** An upstream that is reached through a proxy whose account the test changes. */
class World implements AsyncDisposable {
  password = 'old';
  readonly dispatchers: Dispatchers;

  constructor() {
    const network = new FakeNetwork();
    const clock = new ManualClock();
    const account = () =>
      Promise.resolve({ kind: 'password' as const, username: 'me', password: this.password });
    const proxy = { url: new URL('http://proxy.test'), credentials: { get: account, invalidate() {} } };
    const timeouts = { connectMs: 1_000, headersMs: 1_000, bodyMs: 1_000 };
    const url = new URL('https://registry.test');
    this.dispatchers = new Dispatchers({
      settings: { name: 'registry.test', url, timeouts, userAgent: 'test', proxyFor: () => proxy },
      clock,
      network,
      guard: new AddressGuard({ upstream: url, allowPrivate: true, network }),
      trust: new Trust({ upstream: 'registry.test', clock, events: createEvents() }),
      keepsConnections: true,
    });
  }

  /** Begins a request that gets its dispatcher, and is answered when the test says so. */
  async begin(): Promise<{ agent: ProxyAgent & { closed: boolean }; answer: () => Promise<void> }> {
    const taken = Promise.withResolvers<ProxyAgent & { closed: boolean }>();
    const answered = Promise.withResolvers<void>();
    const over = this.dispatchers.use(TARGET, (dispatcher) => {
      taken.resolve(dispatcher as ProxyAgent & { closed: boolean });
      return answered.promise;
    });
    const answer = (): Promise<void> => {
      answered.resolve();
      return over;
    };
    return { agent: await taken.promise, answer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispatchers.close();
  }
}

test('a replaced dispatcher stays open until the requests in it are answered', async () => {
  await using world = new World();
  const first = await world.begin();
  const second = await world.begin();
  world.password = 'new';
  const third = await world.begin();
  expect([first.agent === second.agent, first.agent === third.agent]).toEqual([true, false]);
  expect(first.agent.closed).toBe(false);
  await first.answer();
  expect(first.agent.closed).toBe(false);
  await second.answer();
  await third.answer();
  expect([first.agent.closed, third.agent.closed]).toEqual([true, false]);
});

test('a replaced dispatcher without requests is closed at once', async () => {
  await using world = new World();
  const first = await world.begin();
  await first.answer();
  expect(first.agent.closed).toBe(false);
  world.password = 'new';
  const second = await world.begin();
  expect([first.agent.closed, second.agent.closed]).toEqual([true, false]);
  await second.answer();
});

test('a request whose account was read before it changed gets a dispatcher, too', async () => {
  await using world = new World();
  const early = world.begin();
  world.password = 'new';
  const late = world.begin();
  const [first, second] = await Promise.all([early, late]);
  expect([first.agent.closed, second.agent.closed]).toEqual([false, false]);
  await Promise.all([first.answer(), second.answer()]);
});
