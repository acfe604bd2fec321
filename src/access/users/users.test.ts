import { compareSync, hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { costOf } from './htpasswd.ts';
import { NO_USERS, parseUsers } from './users.ts';

const HASHES = [4, 5].map((cost) => hashSync('secret', cost));
const [FOUR = '', FIVE = ''] = HASHES;

describe('users', () => {
  it('have the hashes of the file', () => {
    const users = parseUsers('users', `alice:${FOUR}\n`);
    expect([users.hashOf('alice'), users.hashOf('eve')]).toEqual([FOUR, undefined]);
  });

  it('are refused with the path and line of each mistake, up to ten', () => {
    expect(() => parseUsers('/etc/users', `alice:${FOUR}\nbob:x\neve\n`)).toThrow(
      /^\/etc\/users:2: the password of "bob" is .*; \/etc\/users:3: is no line/,
    );
    expect(() => parseUsers('users', 'x\n'.repeat(12))).toThrow(/users:10: [^;]*; and 2 more lines$/);
  });

  it('have a decoy for each other name, that costs as much as the hash of a user', () => {
    const ofFive = parseUsers('users', `alice:${FIVE}\nbob:${FIVE}\n`);
    expect(['eve', 'mallory', ''].map((name) => costOf(ofFive.decoyFor(name)))).toEqual([5, 5, 5]);
    const mixed = parseUsers('users', `alice:${FOUR}\nbob:${FIVE}\n`);
    const costs = Array.from({ length: 40 }, (_, i) => costOf(mixed.decoyFor(`user ${i}`)));
    expect(new Set(costs)).toEqual(new Set([4, 5]));
    expect(mixed.decoyFor('eve')).toBe(mixed.decoyFor('eve'));
    expect(costOf(NO_USERS.decoyFor('eve'))).toBe(10);
  });

  it('have a decoy that bcrypt compares to its end', () => {
    const decoy = parseUsers('users', `alice:${FOUR}\n`).decoyFor('eve');
    const salt = decoy.slice(0, 29);
    // A hash is made with its salt: bcrypt takes it for a whole one, and would return at once for a malformed one.
    expect(hashSync('secret', salt)).toHaveLength(decoy.length);
    expect(compareSync('secret', decoy)).toBe(false);
  });
});
