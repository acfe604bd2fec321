import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import type { WaitingClaim } from '../../index/belonging-index.ts';
import type { RememberingIndex } from '../../index/decorators/remembering-index.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { Target } from '../target.ts';
import type { HeldContent } from './confirms.ts';
import { EarlyConfirmation } from './early-confirmation.ts';
import type { Permission } from './permission.ts';

const UPSTREAM = 'registry.test';
const PACE_MS = 200;
const AWAY_MS = 60_000;
const AWAY = new UpstreamError(UPSTREAM, 'unavailable', 'status', '500');

/** Claims of some repositories, the newest last, and an upstream that answers as the test says. */
class World {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  readonly contents: HeldContent[] = [];
  readonly told: LarderEvent[] = [];
  /** The error that the index fails with. */
  broken: Error | undefined;
  /** Answers a question about a repository, by its name. */
  answer: (name: string) => Promise<boolean> = () => Promise.resolve(true);
  findTarget: (key: WaitingClaim['key']) => Target | undefined = (key) => ({ key }) as Target;
  readonly early: EarlyConfirmation;
  claims: WaitingClaim[];

  constructor(...names: string[]) {
    this.claims = names.map((name, position) => ({
      key: { registry: UPSTREAM, repository: parseRepositoryName(name) },
      digest: digestOf('base'),
      size: 4,
      isManifest: name.startsWith('manifest'),
      position,
    }));
    const events = createEvents();
    events.subscribe((event) => this.told.push(event));
    const index: Pick<RememberingIndex, 'waitingClaim' | 'passOver'> = {
      waitingClaim: async (_, before = Infinity) => {
        if (this.broken !== undefined) throw this.broken;
        return this.claims.findLast(({ position }) => position < before);
      },
      passOver: async (key) => this.#settle(key.repository),
    };
    const permission: Pick<Permission, 'confirm'> = {
      confirm: async ({ key }, content) => {
        this.asked.push(key.repository);
        this.contents.push(content);
        const isConfirmed = await this.answer(key.repository);
        if (isConfirmed) this.#settle(key.repository);
        return isConfirmed;
      },
    };
    this.early = new EarlyConfirmation({
      index: index as RememberingIndex,
      permission: permission as Permission,
      findTarget: (key) => this.findTarget(key),
      clock: this.clock,
      events,
    });
    this.early.wake(UPSTREAM);
  }

  async pass(...times: number[]): Promise<void> {
    for (const ms of times) {
      this.clock.advance(ms);
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    }
  }

  #settle(name: string): void {
    this.claims = this.claims.filter(({ key }) => key.repository !== name);
  }
}

function brokenFails(name: string): Promise<boolean> {
  return name.startsWith('broken') ? Promise.reject(AWAY) : Promise.resolve(true);
}

describe('upstream is left alone for a minute', () => {
  test('if three repositories in a row could not be asked, and afterwards not for only two more', async () => {
    const world = new World('good', 'broken5', 'broken4', 'broken3', 'broken2', 'broken1');
    world.answer = brokenFails;
    await world.pass(PACE_MS, PACE_MS, PACE_MS, AWAY_MS - 1);
    expect(world.asked).toEqual(['broken1', 'broken2', 'broken3']);
    await world.pass(1, PACE_MS, PACE_MS);
    expect(world.asked.slice(3)).toEqual(['broken4', 'broken5', 'good']);
    await world.early.close();
  });

  test('not if a repository that could be asked is between them', async () => {
    const world = new World('good2', 'broken4', 'broken3', 'good1', 'broken2', 'broken1');
    world.answer = brokenFails;
    await world.pass(...Array.from({ length: 6 }, () => PACE_MS));
    expect(world.asked).toEqual(['broken1', 'broken2', 'good1', 'broken3', 'broken4', 'good2']);
    await world.early.close();
  });

  test('if twenty questions in a row have failed, even about one repository, but not before', async () => {
    const world = new World('broken');
    world.claims = Array.from({ length: 45 }, (_, position) => {
      return { ...world.claims[0]!, digest: digestOf(`layer ${position}`), position };
    });
    world.answer = brokenFails;
    await world.pass(...Array.from({ length: 30 }, () => PACE_MS));
    expect(world.asked).toHaveLength(20);
    await world.pass(AWAY_MS, ...Array.from({ length: 30 }, () => PACE_MS));
    expect(world.asked).toHaveLength(40);
    await world.early.close();
  });

  test.each([
    ['throttles', new UpstreamError(UPSTREAM, 'throttled', 'rate-limit', '429'), AWAY_MS],
    ['is offline', new UpstreamError(UPSTREAM, 'unavailable', 'offline', 'offline'), AWAY_MS],
    ['must not be asked now', new UpstreamError(UPSTREAM, 'unavailable', 'breaker-open', 'open'), AWAY_MS],
    [
      'says how long, for that time',
      new UpstreamError(UPSTREAM, 'throttled', 'rate-limit', '429', { retryAfterMs: 5_000 }),
      5_000,
    ],
    [
      'says 0 s, for the usual pause',
      new UpstreamError(UPSTREAM, 'throttled', 'rate-limit', '429', { retryAfterMs: 0 }),
      PACE_MS,
    ],
  ])('if it %s, and is then asked the same again', async (_, error, ms) => {
    const world = new World('old', 'new');
    world.answer = () => Promise.reject(error);
    await world.pass(PACE_MS, ms - 1);
    expect(world.asked).toEqual(['new']);
    await world.pass(1);
    expect(world.asked).toEqual(['new', 'new']);
    await world.early.close();
  });

  test.each([
    ['the index cannot be asked', (world: World, bug?: Error) => (world.broken = bug)],
    [
      'a question fails for a reason of ours',
      (world: World, bug?: Error) =>
        (world.answer = () => (bug === undefined ? Promise.resolve(true) : Promise.reject(bug))),
    ],
  ])('if %s, and that is reported', async (_, breakIt) => {
    const world = new World('good');
    const bug = new TypeError('a bug');
    breakIt(world, bug);
    await world.pass(PACE_MS);
    expect(world.told).toEqual([{ kind: 'store-failed', operation: 'confirm a claim', error: bug }]);
    breakIt(world, undefined);
    await world.pass(AWAY_MS - 1);
    expect(world.claims).toHaveLength(1);
    await world.pass(1);
    expect(world.claims).toEqual([]);
    await world.early.close();
  });
});

describe('a claim', () => {
  test('of a repository that is not mirrored any more is passed over, and no upstream is asked', async () => {
    const world = new World('good', 'gone');
    world.findTarget = (key) => (key.repository === 'gone' ? undefined : ({ key } as Target));
    await world.pass(PACE_MS, PACE_MS);
    expect([world.asked, world.claims]).toEqual([['good'], []]);
    await world.early.close();
  });

  test('of unknown size is passed over', async () => {
    const world = new World('good');
    world.claims = world.claims.map((claim) => ({ ...claim, size: undefined }));
    await world.pass(PACE_MS, PACE_MS);
    expect([world.asked, world.claims]).toEqual([[], []]);
    await world.early.close();
  });

  test('is confirmed as a blob or as a manifest', async () => {
    const world = new World('layer', 'manifest');
    await world.pass(PACE_MS, PACE_MS);
    const content = { digest: digestOf('base'), size: 4 };
    expect(world.contents).toEqual([
      { kind: 'manifest', ...content },
      { kind: 'blob', ...content },
    ]);
    await world.early.close();
  });
});

describe('once it is closed', () => {
  test('no question is due, and nothing wakes it', async () => {
    const world = new World('good');
    await world.early.close();
    expect(world.clock.pending).toBe(0);
    for (const upstream of [UPSTREAM, 'other.test']) world.early.wake(upstream);
    await world.pass(PACE_MS);
    expect([world.asked, world.clock.pending]).toEqual([[], 0]);
  });

  test('the running question has ended', async () => {
    const world = new World('good');
    const answering = Promise.withResolvers<boolean>();
    world.answer = () => answering.promise;
    await world.pass(PACE_MS);
    let isOver = false;
    const closing = world.early.close().then(() => (isOver = true));
    await world.pass(0);
    expect(isOver).toBe(false);
    answering.resolve(true);
    await closing;
    expect([world.claims, world.clock.pending]).toEqual([[], 0]);
  });
});
