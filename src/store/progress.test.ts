import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Progress } from './progress.ts';

const KiB = 1024;

/** A follower that has read all there is, and counts how often it is woken. */
function follow(progress: Progress): { readonly wakings: () => number } {
  let count = 0;
  const wait = (): void => {
    void progress.changed().then(() => {
      count += 1;
      wait();
    });
  };
  wait();
  return { wakings: () => count };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}

describe('followers of an ingest', () => {
  test('hear of its first bytes at once', async () => {
    const progress = new Progress(undefined);
    const { wakings } = follow(progress);
    progress.advance(1);
    await Promise.resolve();
    expect(wakings()).toBe(1);
  });

  test('are woken for many bytes at a time while they come fast', async () => {
    const progress = new Progress(undefined);
    const { wakings } = follow(progress);
    for (let chunk = 0; chunk < 64; chunk += 1) {
      progress.advance(64 * KiB);
      await turns(1);
    }
    // Woken for the first chunk, then for every eighth of the other 63.
    expect(wakings()).toBe(8);
    await turns(5);
    expect(wakings()).toBe(9);
    await turns(20);
    expect(wakings(), 'nothing has come').toBe(9);
  });

  test('hear of few bytes soon when no more come', async () => {
    const progress = new Progress(undefined);
    const { wakings } = follow(progress);
    progress.advance(10);
    progress.advance(10);
    await turns(5);
    expect([wakings(), progress.readable(0)]).toEqual([2, 20]);
  });

  test('hear of its end at once', async () => {
    const progress = new Progress(20);
    const { wakings } = follow(progress);
    progress.advance(10);
    await Promise.resolve();
    progress.advance(10);
    progress.complete();
    await Promise.resolve();
    expect(wakings()).toBe(2);
    await turns(5);
    expect(wakings()).toBe(2);
  });
});
