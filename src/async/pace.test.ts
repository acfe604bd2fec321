import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Pacer } from './pace.ts';

const never = (): AbortSignal => new AbortController().signal;

/** Spends the units one after the other, and lets time pass while the pacer waits. @returns how much time has passed */
async function elapsed(clock: ManualClock, pacer: Pacer, spendings: readonly number[]): Promise<number> {
  const startedAt = clock.monotonic();
  for (const units of spendings) {
    const state = { isOver: false };
    const spent = pacer.spend(units).then(() => {
      state.isOver = true;
    });
    while (!state.isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pending > 0) clock.advance(1);
    }
    await spent;
  }
  return clock.monotonic() - startedAt;
}

describe('a pacer', () => {
  it('holds work to its rate, in large and small parts', async () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock, 1000, never());
    expect(await elapsed(clock, pacer, [1000])).toBe(1000);
    const many = await elapsed(
      clock,
      pacer,
      Array.from({ length: 500 }, () => 1),
    );
    expect(many).toBeGreaterThan(470);
    expect(many).toBeLessThanOrEqual(500);
  });

  it('does not catch up by a burst', async () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock, 1000, never());
    clock.advance(60_000);
    expect(await elapsed(clock, pacer, [1000])).toBe(900);
  });

  it('does not wait without a rate, but lets other work have its turn', async () => {
    const clock = new ManualClock();
    const pacer = new Pacer(clock, undefined, never());
    let hadTurn = false;
    setImmediate(() => {
      hadTurn = true;
    });
    await pacer.spend(1e12);
    expect([hadTurn, clock.pending]).toEqual([true, 0]);
  });

  it('ends a wait when its signal aborts', async () => {
    const clock = new ManualClock();
    const ending = new AbortController();
    const waiting = new Pacer(clock, 1, ending.signal).spend(1000);
    ending.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });
});
