import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SyncTurns, type SyncLength } from './sync-turns.ts';

/** Syncs that end when the test says so. */
class HeldSyncs {
  readonly turns: SyncTurns;
  /** Names of the syncs in the order in which they began. */
  readonly begun: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();

  constructor(atOnce: number) {
    this.turns = new SyncTurns(atOnce);
  }

  ask(length: SyncLength, ...names: readonly string[]): void {
    for (const name of names) {
      const end = Promise.withResolvers<void>();
      this.#ends.set(name, end);
      const sync = (): Promise<void> => {
        this.begun.push(name);
        return end.promise;
      };
      this.turns.run(length, sync).catch(() => {});
    }
  }

  async end(name: string, error?: Error): Promise<void> {
    if (error === undefined) this.#ends.get(name)?.resolve();
    else this.#ends.get(name)?.reject(error);
    await setImmediate();
  }
}

test('syncs of one length begin in their order, as many at once as may run', async () => {
  const syncs = new HeldSyncs(2);
  syncs.ask('quick', 'a', 'b', 'c', 'd');
  await setImmediate();
  expect(syncs.begun).toEqual(['a', 'b']);
  await syncs.end('b');
  expect(syncs.begun).toEqual(['a', 'b', 'c']);
  await syncs.end('a', new Error('cannot be synced'));
  expect(syncs.begun).toEqual(['a', 'b', 'c', 'd']);
});

test('a quick sync goes before long ones that wait', async () => {
  const syncs = new HeldSyncs(1);
  syncs.ask('long', 'layer', 'another layer');
  syncs.ask('quick', 'manifest');
  await setImmediate();
  await syncs.end('layer');
  expect(syncs.begun).toEqual(['layer', 'manifest']);
  await syncs.end('manifest');
  expect(syncs.begun).toEqual(['layer', 'manifest', 'another layer']);
});

test('a quick sync finds a turn while as many long ones run as may', async () => {
  const syncs = new HeldSyncs(3);
  syncs.ask('long', 'one', 'two', 'three');
  await setImmediate();
  expect(syncs.begun).toEqual(['one', 'two']);
  syncs.ask('quick', 'manifest');
  await setImmediate();
  expect(syncs.begun).toEqual(['one', 'two', 'manifest']);
  await syncs.end('manifest');
  expect(syncs.begun).toHaveLength(3);
  await syncs.end('one');
  expect(syncs.begun.at(-1)).toBe('three');
});

test('a long sync waits for eight quick ones at most', async () => {
  const syncs = new HeldSyncs(1);
  const manifests = Array.from({ length: 20 }, (_, number) => `manifest ${number}`);
  syncs.ask('quick', 'first');
  syncs.ask('long', 'layer', 'another layer');
  syncs.ask('quick', ...manifests);
  for (const name of ['first', ...manifests.slice(0, 8), 'layer', ...manifests.slice(8, 16)]) {
    await setImmediate();
    expect(syncs.begun.at(-1)).toBe(name);
    await syncs.end(name);
  }
  expect(syncs.begun.at(-1)).toBe('another layer');
});

test('nothing runs or waits: it is idle', async () => {
  const syncs = new HeldSyncs(1);
  expect(syncs.turns.isIdle).toBe(true);
  syncs.ask('long', 'layer', 'another layer');
  expect(syncs.turns.isIdle).toBe(false);
  await syncs.end('layer');
  expect(syncs.turns.isIdle).toBe(false);
  await syncs.end('another layer');
  expect(syncs.turns.isIdle).toBe(true);
});
