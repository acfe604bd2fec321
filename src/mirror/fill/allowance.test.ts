import { describe, expect, it } from 'vitest';
import { Allowance, NoRoomError, type FillRoom } from './allowance.ts';

const KNOWN = { size: 1000, offset: 0 };
const UNKNOWN = { size: undefined, offset: 0 };

/** Returns room that answers each question with the next number; a question too many fails the test. */
function roomOf(...slices: number[]): FillRoom {
  return async () => {
    const slice = slices.shift();
    if (slice === undefined) throw new Error('asked once too often');
    return slice;
  };
}

describe('what a fill may write', () => {
  it('has no limit if there is always room', async () => {
    const allowance = new Allowance(undefined);
    expect(await allowance.ask(UNKNOWN)).toBe(true);
    await expect(allowance.spend(1e12, UNKNOWN)).resolves.toBeUndefined();
  });

  it.each([
    [0, false],
    [1, true],
  ])('of %i bytes is anything at all: %s', async (slice, isAny) => {
    expect(await new Allowance(roomOf(slice)).ask(KNOWN)).toBe(isAny);
  });

  it('is asked for again only when it is spent', async () => {
    const allowance = new Allowance(roomOf(10, 10));
    await allowance.ask(UNKNOWN);
    await allowance.spend(6, UNKNOWN);
    await allowance.spend(4, UNKNOWN);
    await allowance.spend(10, UNKNOWN);
    await expect(allowance.spend(1, UNKNOWN)).rejects.toThrow('asked once too often');
  });

  it('is less than the bytes of a fill whose size is not known', async () => {
    const allowance = new Allowance(roomOf(10, 10));
    await allowance.ask(UNKNOWN);
    await expect(allowance.spend(11, UNKNOWN)).rejects.toThrow(NoRoomError);
  });

  it('is all of a fill whose size is known, as soon as there is room for it', async () => {
    const allowance = new Allowance(roomOf(10, 10));
    await allowance.ask(KNOWN);
    await expect(allowance.spend(11, KNOWN)).resolves.toBeUndefined();
  });

  it('is what is left of a larger slice after it', async () => {
    const allowance = new Allowance(roomOf(5, 30));
    await allowance.ask(KNOWN);
    await allowance.spend(11, KNOWN);
    await expect(allowance.spend(19, KNOWN)).resolves.toBeUndefined();
  });

  it('is nothing once there is no room any more, even if the size is known', async () => {
    const allowance = new Allowance(roomOf(10, 0));
    await allowance.ask(KNOWN);
    await expect(allowance.spend(11, KNOWN)).rejects.toThrow(NoRoomError);
  });
});
