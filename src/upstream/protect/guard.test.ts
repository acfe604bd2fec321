import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream } from '../../../test/support/stub-upstream.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import type { Breaker } from './breaker.ts';
import { UpstreamError } from '../error.ts';
import { blobTurns, guardUpstream } from './guard.ts';
import type { FetchedBlob } from '../upstream.ts';

const NAME = parseRepositoryName('acme/app');
const DIGEST = digestOf('blob');
const reasonOf = (error: unknown): unknown => (error as UpstreamError).reason;

/** Starts an upstream with one connection, so one blob at a time; a blob waits a second for its turn. */
function start(): { stub: StubUpstream; clock: ManualClock; breaker: Breaker; states: () => unknown[] } {
  const clock = new ManualClock();
  const bus = createEvents();
  const events: LarderEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const stub = new StubUpstream();
  const breaker = guardUpstream(
    stub.upstream,
    { turns: blobTurns(1), waitMs: 1_000, countsPulls: false },
    { clock, events: bus },
  );
  const states = (): unknown[] => events.map((event) => event.kind === 'breaker-changed' && event.state);
  return { stub, clock, breaker, states };
}

/** Takes the only turn for a blob, and opens the breaker by other calls. */
async function openWhileBusy({ stub, clock, breaker }: ReturnType<typeof start>): Promise<FetchedBlob> {
  const body = { destroy: () => undefined, async *[Symbol.asyncIterator]() {} };
  stub.answer = () => Promise.resolve({ body, start: 0, size: 0 } as unknown as undefined);
  const held = await breaker.upstream.blob(NAME, DIGEST);
  stub.answer = () =>
    Promise.reject(new UpstreamError('registry.test', 'unavailable', 'refused', 'it failed'));
  for (let i = 0; i < 5; i += 1) await breaker.upstream.tags(NAME).catch(reasonOf);
  clock.advance(2_000);
  return held;
}

describe('an open breaker', () => {
  test('is not changed by a blob that gets no turn', async () => {
    const world = start();
    const held = await openWhileBusy(world);
    const { stub, clock, breaker, states } = world;
    const calls = stub.calls;
    for (let i = 0; i < 3; i += 1) {
      const refused = breaker.upstream.blob(NAME, DIGEST).catch(reasonOf);
      await Promise.resolve();
      clock.advance(1_000);
      expect(await refused).toBe('busy');
    }
    expect([breaker.state, stub.calls, states()]).toEqual(['open', calls, ['open']]);
    held.body.destroy();
  });

  test("is not changed by a call that upstream's limit holds back", async () => {
    const { stub, clock, breaker, states } = start();
    const fail = (failure: 'throttled' | 'unavailable'): void => {
      const reason = failure === 'throttled' ? 'rate-limit' : 'refused';
      const options = { retryAfterMs: 60_000 };
      stub.answer = () => Promise.reject(new UpstreamError('registry.test', failure, reason, 'no', options));
    };
    fail('throttled');
    await breaker.upstream.tags(NAME).catch(reasonOf);
    fail('unavailable');
    for (let i = 0; i < 5; i += 1) await breaker.upstream.statBlob(NAME, DIGEST).catch(reasonOf);
    clock.advance(2_000);
    for (let i = 0; i < 3; i += 1) {
      expect(await breaker.upstream.tags(NAME).catch(reasonOf)).toBe('rate-limit');
    }
    expect([breaker.state, stub.calls, states()]).toEqual(['open', 6, ['open']]);
  });

  test('refuses a blob at once, although it would have to wait for its turn', async () => {
    const world = start();
    const held = await openWhileBusy(world);
    const { clock, breaker } = world;
    await breaker.upstream.tags(NAME).catch(reasonOf);
    expect(await breaker.upstream.blob(NAME, DIGEST).catch(reasonOf)).toBe('breaker-open');
    expect(clock.pending).toBe(0);
    held.body.destroy();
  });
});
