import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { AccessError } from '../access-error.ts';
import { LoginThrottle } from './login-throttle.ts';

describe('the throttle of logins', () => {
  let clock: ManualClock;
  let throttle: LoginThrottle;

  beforeEach(() => {
    clock = new ManualClock();
    throttle = new LoginThrottle(clock, { perUser: 3, perClient: 5 });
  });

  /** Tries wrong passwords. @returns how many seconds each has to wait; 0: it is checked */
  function waits(client: string, users: readonly string[]): number[] {
    return users.map((user) => {
      try {
        throttle.begin(client, user);
        return 0;
      } catch (error) {
        if (error instanceof AccessError && error.failure === 'throttled')
          return (error.retryAfterMs ?? NaN) / 1000;
        throw error;
      }
    });
  }

  it('lets an address wait for a user after some wrong passwords, until a minute after the first', () => {
    expect(waits('a', ['alice'])).toEqual([0]);
    clock.advance(20_000);
    expect(waits('a', ['alice', 'alice', 'alice'])).toEqual([0, 0, 40]);
    clock.advance(39_999);
    expect(waits('a', ['alice'])).toEqual([0.001]);
    clock.advance(1);
    expect(waits('a', ['alice', 'alice', 'alice', 'alice'])).toEqual([0, 0, 0, 60]);
  });

  it('lets neither another address wait, nor another user behind the same one', () => {
    waits('a', ['alice', 'alice', 'alice']);
    expect(waits('a', ['alice', 'bob'])).toEqual([60, 0]);
    expect(waits('b', ['alice'])).toEqual([0]);
  });

  it('lets an address wait that tries many users, but for the users who have logged in from it', () => {
    throttle.begin('a', 'alice').succeeded();
    expect(waits('a', ['b', 'c', 'd', 'e', 'f', 'g'])).toEqual([0, 0, 0, 0, 0, 60]);
    expect(waits('a', ['alice', 'alice', 'alice', 'alice'])).toEqual([0, 0, 0, 60]);
    expect(waits('b', ['g'])).toEqual([0]);
  });

  it('counts no right passwords, and no checks that could not be made', () => {
    for (let i = 0; i < 20; i += 1) {
      throttle.begin('a', 'alice').succeeded();
      throttle.begin('a', 'bob').undecided();
    }
    expect(waits('a', ['alice', 'bob'])).toEqual([0, 0]);
  });

  it('counts checks that have begun, so that many at once are no way around it', () => {
    const attempts = [1, 2, 3].map(() => throttle.begin('a', 'alice'));
    expect(waits('a', ['alice'])).toEqual([60]);
    attempts[0]?.succeeded();
    expect(waits('a', ['alice', 'alice'])).toEqual([0, 60]);
  });
});
