import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Relay, type Seat } from './relay.ts';

const MiB = 1024 * 1024;

function megabytes(count: number, value = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => Buffer.alloc(MiB, value + index));
}

/** Reads `bytes` bytes, and asks for the next ones. */
async function read(seat: Seat, bytes: number): Promise<void> {
  for (let count = 0; count < bytes;) {
    const pieces = await seat.next();
    if (pieces === undefined || pieces === 'lost') throw new Error(`${pieces}`);
    for (const { length } of pieces) count += length;
  }
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  void promise.then(() => {
    isOver = true;
  });
  for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  return !isOver;
}

describe('a relay', () => {
  test('gives every reader the same bytes, from where it joins, and ends', async () => {
    const clock = new ManualClock();
    const relay = new Relay(100, clock);
    const pushed = relay.push([Buffer.from('abc'), Buffer.from('def')]);
    const [first, second] = [relay.join(100), relay.join(104)];
    expect(Buffer.concat((await first?.next()) as Uint8Array[]).toString()).toBe('abcdef');
    expect(Buffer.concat((await second?.next()) as Uint8Array[]).toString()).toBe('ef');
    await pushed;
    expect(clock.pending).toBe(0);
    relay.end();
    expect([await first?.next(), await second?.next()]).toEqual([undefined, undefined]);
    expect(await first?.next()).toBeUndefined();
    expect([first?.offset, second?.offset]).toEqual([106, 106]);
  });

  test('gives no piece that is empty', async () => {
    const relay = new Relay(100, new ManualClock());
    const pushed = relay.push([Buffer.from('abc'), Buffer.from('def')]);
    expect(await relay.join(103)?.next()).toEqual([new Uint8Array(Buffer.from('def'))]);
    await pushed;
  });

  test('keeps the bytes in memory of its own', async () => {
    const relay = new Relay(0, new ManualClock());
    const seat = relay.join(0);
    const memory = Buffer.from('abc');
    const pushed = relay.push([memory]);
    memory.fill('x');
    expect(Buffer.concat((await seat?.next()) as Uint8Array[]).toString()).toBe('abc');
    relay.end();
    await pushed;
  });

  test('keeps whole pieces, as few as make up the window', async () => {
    const relay = new Relay(0, new ManualClock());
    void read(relay.join(0)!, 7 * MiB);
    for (const piece of [3, 1, 1, 2]) await relay.push([Buffer.alloc(piece * MiB)]);
    expect([relay.join(1 * MiB), relay.join(3 * MiB)?.offset]).toEqual([undefined, 3 * MiB]);
  });

  test('goes on for a reader that is just a window behind, and leaves one behind that is farther', async () => {
    const clock = new ManualClock();
    const relay = new Relay(0, clock);
    const [eager] = [relay.join(0)!, relay.join(0)!];
    await relay.push(megabytes(1));
    await eager.next();
    void eager.next();
    const held = relay.push(megabytes(4));
    expect(await isPending(held)).toBe(true);
    clock.advance(5_000);
    expect(await isPending(held)).toBe(false);
    relay.end();
  });

  test.each([99, 107])('is not joined at %i, where it has no bytes', (position) => {
    const relay = new Relay(100, new ManualClock());
    void relay.push([Buffer.from('abcdef')]);
    expect(relay.join(position)).toBeUndefined();
    relay.end();
  });

  test('waits for its first reader, however long that takes', async () => {
    const clock = new ManualClock();
    const relay = new Relay(0, clock);
    const pushed = relay.push(megabytes(1));
    clock.advance(60_000);
    expect(await isPending(pushed)).toBe(true);
    relay.join(0);
    await pushed;
    expect(clock.pending).toBe(0);
  });

  test('fails for every reader that has read all its bytes', async () => {
    const relay = new Relay(0, new ManualClock());
    const seat = relay.join(0);
    await relay.push([Buffer.from('abc')]);
    relay.end(new Error('reset'));
    await seat?.next();
    await expect(seat?.next()).rejects.toThrow('reset');
  });

  test('keeps no more than a few MiB, and waits for a single reader for ever', async () => {
    const clock = new ManualClock();
    const relay = new Relay(0, clock);
    const seat = relay.join(0);
    for (let count = 0; count < 4; count += 1) await relay.push(megabytes(1, count));
    const pushed = relay.push(megabytes(1, 4));
    clock.advance(60_000);
    expect(await isPending(pushed)).toBe(true);
    await read(seat!, 5 * MiB);
    void seat?.next();
    await pushed;
    expect(relay.join(0)).toBeUndefined();
    expect(relay.join(MiB)?.offset).toBe(MiB);
  });

  test('leaves a reader behind that holds the others up for too long, and does not wait for it again', async () => {
    const clock = new ManualClock();
    const relay = new Relay(0, clock);
    const [lazy, eager] = [relay.join(0)!, relay.join(0)!];
    const reading = read(eager, 20 * MiB);
    for (let count = 0; count < 4; count += 1) await relay.push(megabytes(1));
    const held = relay.push(megabytes(1));
    expect(await isPending(held)).toBe(true);
    clock.advance(4_999);
    expect(await isPending(held)).toBe(true);
    clock.advance(1);
    await held;
    for (let count = 5; count < 20; count += 1) await relay.push(megabytes(1));
    await reading;
    expect([await lazy.next(), lazy.offset, clock.monotonic()]).toEqual(['lost', 0, 5_000]);
  });

  test('does not wait for a reader that has left', async () => {
    const relay = new Relay(0, new ManualClock());
    const [lazy, eager] = [relay.join(0)!, relay.join(0)!];
    const reading = read(eager, 5 * MiB);
    for (let count = 0; count < 4; count += 1) await relay.push(megabytes(1));
    const held = relay.push(megabytes(1));
    await reading;
    void eager.next();
    expect(await isPending(held)).toBe(true);
    lazy.leave();
    await held;
    relay.end();
  });
});
