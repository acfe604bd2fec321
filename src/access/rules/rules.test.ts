import { describe, expect, it } from 'vitest';
import { ANONYMOUS, type Principal } from '../principal.ts';
import { Rules, type Rule } from './rules.ts';

const ALICE: Principal = { kind: 'user', name: 'alice' };
const ANYONE: Rule['who'] = [{ kind: 'anonymous' }];
const USERS: Rule['who'] = [{ kind: 'authenticated' }];
const DEBIAN = { registry: 'docker.io', repository: 'library/debian' };

function rulesOf(...rules: readonly Rule[]): Rules {
  return new Rules(rules, new Map());
}

describe('decide', () => {
  it('denies where no rule matches', () => {
    expect(rulesOf().decide(ALICE, 'pull', DEBIAN)).toEqual({ isAllowed: false, rule: undefined });
  });

  it('lets the first rule decide that means the repository and the principal', () => {
    const rules = rulesOf(
      { repositories: ['ghcr.io/**'], who: ANYONE, allow: ['pull'] },
      { repositories: ['docker.io/**'], who: USERS, allow: [] },
      { repositories: ['**'], who: ANYONE, allow: ['pull'] },
    );
    expect(rules.decide(ALICE, 'pull', DEBIAN)).toEqual({ isAllowed: false, rule: 1 });
    expect(rules.decide(ANONYMOUS, 'pull', DEBIAN)).toEqual({ isAllowed: true, rule: 2 });
    expect(rules.decide(ANONYMOUS, 'tags', DEBIAN)).toEqual({ isAllowed: false, rule: 2 });
  });

  it('asks of what concerns no repository only rules for all of them', () => {
    const metrics = (glob: string): boolean =>
      rulesOf({ repositories: [glob], who: ANYONE, allow: ['metrics'] }).decide(
        ANONYMOUS,
        'metrics',
        undefined,
      ).isAllowed;
    expect(metrics('**')).toBe(true);
    expect(metrics('docker.io/**')).toBe(false);
  });
});

describe('isOpen', () => {
  it.each<[readonly Rule[], boolean]>([
    [[], false],
    [[{ repositories: ['**'], who: ANYONE, allow: ['pull'] }], true],
    [[{ repositories: ['docker.io/**'], who: ANYONE, allow: ['pull'] }], true],
    [[{ repositories: ['docker.io/library/*'], who: ANYONE, allow: ['pull'] }], false],
    [[{ repositories: ['docker.io/**'], who: USERS, allow: ['pull'] }], false],
    [
      [
        { repositories: ['docker.io/team/**'], who: ANYONE, allow: [] },
        { repositories: ['**'], who: ANYONE, allow: ['pull'] },
      ],
      false,
    ],
    [
      [
        { repositories: ['**'], who: USERS, allow: ['pull', 'admin'] },
        { repositories: ['*/**'], who: ANYONE, allow: ['pull'] },
      ],
      true,
    ],
  ])('of %j is %s', (rules, expected) => {
    expect(rulesOf(...rules).isOpen('docker.io')).toBe(expected);
  });
});

describe('isOpenToAll', () => {
  it.each<[string, readonly Rule[], boolean]>([
    ['no rule', [], false],
    ['all may pull', [{ repositories: ['**'], who: ANYONE, allow: ['pull'] }], true],
    [
      'all may pull from one registry',
      [{ repositories: ['docker.io/**'], who: ANYONE, allow: ['pull'] }],
      false,
    ],
    ['users may pull', [{ repositories: ['**'], who: USERS, allow: ['pull'] }], false],
    [
      'users may do more',
      [
        { repositories: ['**'], who: USERS, allow: ['pull', 'admin'] },
        { repositories: ['**'], who: ANYONE, allow: ['pull'] },
      ],
      true,
    ],
    [
      'users may read metrics, and all may pull',
      [
        { repositories: ['**'], who: USERS, allow: ['metrics'] },
        { repositories: ['**'], who: ANYONE, allow: ['pull'] },
      ],
      true,
    ],
    [
      'all may pull but from some repositories',
      [
        { repositories: ['ghcr.io/acme/**'], who: ANYONE, allow: [] },
        { repositories: ['**'], who: ANYONE, allow: ['pull'] },
      ],
      false,
    ],
  ])('%s', (_, rules, expected) => expect(rulesOf(...rules).isOpenToAll).toBe(expected));
});

describe('needsUser', () => {
  it.each<[string, readonly Rule[], boolean]>([
    ['no rule', [], false],
    ['all may pull', [{ repositories: ['**'], who: ANYONE, allow: ['pull'] }], false],
    ['users may pull', [{ repositories: ['ghcr.io/**'], who: USERS, allow: ['pull'] }], true],
    ['users may nothing', [{ repositories: ['ghcr.io/**'], who: USERS, allow: [] }], false],
    ['users may read metrics', [{ repositories: ['**'], who: USERS, allow: ['metrics'] }], false],
  ])('%s', (_, rules, expected) => expect(rulesOf(...rules).needsUser).toBe(expected));
});

it('mayAnywhere asks for a rule that means the principal and allows one of the actions', () => {
  const rules = rulesOf({ repositories: ['ghcr.io/**'], who: USERS, allow: ['tags'] });
  expect(rules.mayAnywhere(ALICE, ['pull', 'tags'])).toBe(true);
  expect(rules.mayAnywhere(ALICE, ['pull'])).toBe(false);
  expect(rules.mayAnywhere(ANONYMOUS, ['pull', 'tags'])).toBe(false);
});
