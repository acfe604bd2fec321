import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { VerdictMemory, type Verdict } from './verdict-memory.ts';

const MINUTE = 60_000;
const IDENTITY = { principal: { kind: 'user', name: 'alice' } } as const;
const RIGHT: Verdict = { verified: { identity: IDENTITY }, stillHolds: () => true };
const WRONG: Verdict = { verified: undefined, reason: 'no', stillHolds: () => true };

describe('the memory of verdicts', () => {
  let clock: ManualClock;
  let memory: VerdictMemory;

  beforeEach(() => {
    clock = new ManualClock();
    memory = new VerdictMemory({ clock, key: Buffer.alloc(32, 1), max: 4 });
  });

  it('knows a right verdict for five minutes', () => {
    expect(memory.right('a')).toBeUndefined();
    memory.remember('a', RIGHT);
    clock.advance(5 * MINUTE - 1);
    expect(memory.right('a')).toBe(RIGHT.verified);
    clock.advance(1);
    expect(memory.right('a')).toBeUndefined();
  });

  it('knows a wrong verdict for half a minute, and takes it for no right one', () => {
    memory.remember('a', WRONG);
    clock.advance(MINUTE / 2 - 1);
    expect([memory.right('a'), memory.wrong('a')]).toEqual([undefined, WRONG]);
    clock.advance(1);
    expect(memory.wrong('a')).toBeUndefined();
  });

  it('forgets credentials that expire, also where the clock of the machine is set forward', () => {
    const expiresAt = clock.now() + MINUTE;
    memory.remember('a', { ...RIGHT, verified: { identity: IDENTITY, expiresAt } });
    memory.remember('b', { ...RIGHT, verified: { identity: IDENTITY, expiresAt: expiresAt + MINUTE } });
    clock.advance(MINUTE - 1);
    expect(memory.right('a')).toBeDefined();
    clock.advance(1);
    expect(memory.right('a')).toBeUndefined();
    clock.jump(MINUTE);
    expect(memory.right('b')).toBeUndefined();
  });

  it('forgets a verdict once it does not hold any more', () => {
    let holds = true;
    memory.remember('a', { ...RIGHT, stillHolds: () => holds });
    memory.remember('b', { ...WRONG, stillHolds: () => holds });
    holds = false;
    expect([memory.right('a'), memory.wrong('b')]).toEqual([undefined, undefined]);
    holds = true;
    expect([memory.right('a'), memory.wrong('b')]).toEqual([undefined, undefined]);
  });

  it('is bounded, and forgets no right verdict for many wrong ones', () => {
    memory.remember('a', RIGHT);
    for (let i = 0; i < 100; i += 1) memory.remember(`wrong ${i}`, WRONG);
    expect(memory.right('a')).toBeDefined();
    expect([memory.wrong('wrong 0'), memory.wrong('wrong 99')]).toEqual([undefined, WRONG]);
  });

  it('forgets no password for many tokens', () => {
    memory.remember('a', { ...RIGHT, isOfPassword: true });
    for (let i = 0; i < 100; i += 1) memory.remember(`token ${i}`, RIGHT);
    expect(memory.right('a')).toBeDefined();
    expect([memory.right('token 0'), memory.right('token 99')]).toEqual([undefined, RIGHT.verified]);
  });

  it('keeps no credentials, but hashes that differ with the key', () => {
    const key = memory.keyOf('Basic c2VjcmV0');
    expect(key).toBe(memory.keyOf('Basic c2VjcmV0'));
    expect(key).not.toContain('c2VjcmV0');
    const other = new VerdictMemory({ clock, key: Buffer.alloc(32, 2) });
    expect(other.keyOf('Basic c2VjcmV0')).not.toBe(key);
  });
});
