import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEvents } from '../../events.ts';
import { digest, edge, repositoryKey, manifest } from '../../index/content.contract.ts';
import { openSqliteIndex } from '../../index/sqlite/sqlite-index.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { rememberIndex, type RememberingIndex } from '../../index/decorators/remembering-index.ts';
import type { Target } from '../target.ts';
import { EarlyConfirmation } from './early-confirmation.ts';
import type { Permission } from './permission.ts';

const UPSTREAM = 'registry.test';
const BASE = digest('base');
const PACE_MS = 200;
const AWAY_MS = 60_000;
const DENIED = new UpstreamError(UPSTREAM, 'absent', 'not-found', 'unknown blob', { isVerdict: true });

/**
 * An upstream whose repositories all claim one layer. `broken…` cannot be asked about it, `denied…` refuses it, and
 * `unclear…` does not confirm it.
 */
class World {
  readonly asked: string[] = [];
  readonly early: EarlyConfirmation;
  /** Called while a question is being asked. */
  meanwhile: () => Promise<void> = async () => {};
  readonly clock = new ManualClock();
  readonly #index: RememberingIndex;

  constructor(index: RememberingIndex) {
    this.#index = index;
    const permission: Pick<Permission, 'confirm'> = { confirm: ({ key }) => this.#confirm(key.repository) };
    this.early = new EarlyConfirmation({
      index,
      permission: permission as Permission,
      findTarget: (key) => ({ key }) as Target,
      clock: this.clock,
      events: createEvents(),
    });
  }

  async giveBytes(): Promise<void> {
    await this.#index.putBelonging(repositoryKey(UPSTREAM, 'first'), BASE, 'given');
    await this.#index.putBlob({ digest: BASE, size: 1 }, 1);
  }

  /** Adds claims, the newest last. */
  async claim(...repositories: readonly string[]): Promise<void> {
    for (const name of repositories) {
      await this.#index.putManifest(repositoryKey(UPSTREAM, name), manifest(name), [edge('layer', 'base')]);
    }
    this.early.wake(UPSTREAM);
  }

  /** Moves the clock on, so that the next question is asked if it is due by then. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  }

  async #confirm(repository: string): Promise<boolean> {
    this.asked.push(repository);
    await this.meanwhile();
    if (repository.startsWith('broken')) throw new UpstreamError(UPSTREAM, 'unavailable', 'status', '500');
    if (repository.startsWith('denied')) throw DENIED;
    if (repository.startsWith('unclear')) return false;
    await this.#index.putBelonging(repositoryKey(UPSTREAM, repository), BASE, 'confirmed');
    return true;
  }
}

describe('a claim that waits', () => {
  let index: RememberingIndex;
  let world: World;
  beforeEach(async () => {
    index = rememberIndex(await openSqliteIndex(':memory:'));
    world = new World(index);
    await world.giveBytes();
  });
  afterEach(async () => {
    await world.early.close();
    await index.close();
  });

  test('and is new is asked about first, even if older ones have failed: they come again after all others', async () => {
    await world.claim('old', 'broken1', 'broken2');
    for (let question = 0; question < 2; question += 1) await world.pass(PACE_MS);
    expect(world.asked).toEqual(['broken2', 'broken1']);
    await world.claim('new1', 'new2');
    for (let question = 0; question < 10; question += 1) await world.pass(PACE_MS);
    expect(world.asked.slice(2)).toEqual(['new2', 'new1', 'old']);
    for (const ms of [AWAY_MS, PACE_MS]) await world.pass(ms);
    expect(world.asked.slice(5)).toEqual(['broken2', 'broken1']);
  });

  test('is asked about 200 ms after it came, and the next one 200 ms after its answer', async () => {
    await world.claim('old', 'denied', 'unclear', 'new');
    const asked: number[] = [];
    for (let question = 0; question < 4; question += 1) {
      await world.pass(PACE_MS - 1);
      asked.push(world.asked.length);
      await world.pass(1);
      asked.push(world.asked.length);
    }
    expect(asked).toEqual([0, 1, 1, 2, 2, 3, 3, 4]);
  });

  test('and comes while a question is being asked is the next one', async () => {
    await world.claim('old', 'broken');
    world.meanwhile = async () => {
      world.meanwhile = async () => {};
      await world.claim('new');
    };
    for (let question = 0; question < 3; question += 1) await world.pass(PACE_MS);
    expect(world.asked).toEqual(['broken', 'new', 'old']);
  });

  test('does not wait for the many claims of another repository that cannot be asked', async () => {
    const layers = ['a', 'b', 'c', 'd', 'e'];
    for (const layer of layers)
      await index.putBelonging(repositoryKey(UPSTREAM, 'first'), digest(layer), 'given');
    await world.claim('old');
    const edges = layers.map((layer) => edge('layer', layer));
    await index.putManifest(repositoryKey(UPSTREAM, 'broken'), manifest('many'), edges);
    for (const layer of layers) await index.putBlob({ digest: digest(layer), size: 1 }, 1);
    for (let question = 0; question < 6; question += 1) await world.pass(PACE_MS);
    expect(world.asked).toEqual([...layers.map(() => 'broken'), 'old']);
  });

  test('is asked about after a pause if very many of one repository could not be', async () => {
    const layers = Array.from({ length: 50 }, (_, i) => `layer${i}`);
    for (const layer of layers)
      await index.putBelonging(repositoryKey(UPSTREAM, 'first'), digest(layer), 'given');
    const edges = layers.map((layer) => edge('layer', layer));
    await index.putManifest(repositoryKey(UPSTREAM, 'broken'), manifest('many'), edges);
    for (const layer of layers) await index.putBlob({ digest: digest(layer), size: 1 }, 1);
    world.early.wake(UPSTREAM);
    for (let question = 0; question < 50; question += 1) await world.pass(PACE_MS);
    expect(world.asked).toHaveLength(20);
    await world.pass(AWAY_MS);
    expect(world.asked).toHaveLength(21);
  });

  test('and is old has its turn after any number that fail, however often new ones come', async () => {
    const broken = Array.from({ length: 110 }, (_, i) => `broken${i}`);
    await world.claim('old', ...broken);
    while (world.asked.at(-1) !== 'old' && world.asked.length < 200) {
      await world.pass(AWAY_MS);
      world.early.wake(UPSTREAM);
    }
    expect(world.asked).toEqual([...broken.toReversed(), 'old']);
  });

  test.each(['denied', 'unclear'])('and is %s waits no more', async (name) => {
    await world.claim(name);
    await world.pass(PACE_MS);
    expect(await index.waitingClaim(UPSTREAM)).toBeUndefined();
    for (const ms of [PACE_MS, AWAY_MS, PACE_MS]) await world.pass(ms);
    expect(world.asked).toEqual([name]);
  });

  test.each(['denied', 'unclear'])('and is %s is the last one until that is recorded', async (name) => {
    const recording = Promise.withResolvers<void>();
    const slow: RememberingIndex = {
      ...index,
      async passOver(...claim) {
        await recording.promise;
        await index.passOver(...claim);
      },
    };
    world = new World(slow);
    await world.claim('old', name);
    for (let question = 0; question < 3; question += 1) await world.pass(PACE_MS);
    expect(world.asked).toEqual([name]);
    recording.resolve();
    for (let question = 0; question < 2; question += 1) await world.pass(PACE_MS);
    expect(world.asked).toEqual([name, 'old']);
  });

  test('and comes while there seems to be none is asked about', async () => {
    let isLate = false;
    world = new World({
      ...index,
      async waitingClaim(...asked) {
        const none = await index.waitingClaim(...asked);
        if (!isLate) await world.claim('late');
        isLate = true;
        return none;
      },
    });
    world.early.wake(UPSTREAM);
    for (let question = 0; question < 2; question += 1) await world.pass(PACE_MS);
    expect(world.asked).toEqual(['late']);
  });

  test('is not looked for once there is none', async () => {
    await world.claim('only');
    for (let question = 0; question < 2; question += 1) await world.pass(PACE_MS);
    expect([world.asked, world.clock.pending]).toEqual([['only'], 0]);
  });
});
