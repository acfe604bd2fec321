import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { pause, within } from './deadline.ts';

const never = new Promise<never>(() => {});

describe('within', () => {
  test('resolves with a value that comes in time', async () => {
    const clock = new ManualClock();
    expect(await within(clock, 1_000, Promise.resolve('value'))).toBe('value');
    expect(clock.pending).toBe(0);
  });

  test('rejects with a failure that comes in time', async () => {
    const clock = new ManualClock();
    await expect(within(clock, 1_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(clock.pending).toBe(0);
  });

  test('waits for the given time and no longer', async () => {
    const clock = new ManualClock();
    let isOver = false;
    const waited = within(clock, 1_000, never).then((value) => {
      isOver = true;
      return value;
    });
    clock.advance(999);
    await Promise.resolve();
    expect(isOver).toBe(false);
    clock.advance(1);
    expect(await waited).toBeUndefined();
  });

  test('does not wait without any time', async () => {
    expect(await within(new ManualClock(), 0, Promise.resolve('value'))).toBeUndefined();
  });
});

describe('pause', () => {
  test('ends when its time is over', async () => {
    const clock = new ManualClock();
    const paused = pause(clock, 500, new AbortController().signal);
    expect(clock.pending).toBe(1);
    clock.advance(500);
    await paused;
  });

  test('ends when its signal aborts, and leaves no timer', async () => {
    const clock = new ManualClock();
    const giveUp = new AbortController();
    const paused = pause(clock, 500, giveUp.signal);
    giveUp.abort(new Error('given up'));
    await paused;
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['no time', 0, new AbortController().signal],
    ['given up before', 500, AbortSignal.abort()],
  ])('%s: does not wait', async (_, ms, signal) => {
    const clock = new ManualClock();
    await pause(clock, ms, signal);
    expect(clock.pending).toBe(0);
  });
});
