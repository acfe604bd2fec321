import * as fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { ACTIONS } from '../action.ts';
import { ANONYMOUS, type Principal } from '../principal.ts';
import { Decisions } from './decisions.ts';
import { Rules } from './rules.ts';

const ALICE: Principal = { kind: 'user', name: 'alice' };
const RULES = new Rules(
  [
    { repositories: ['a/x'], who: [{ kind: 'user', name: 'alice' }], allow: ['pull', 'metrics'] },
    { repositories: ['a/**'], who: [{ kind: 'anonymous' }], allow: ['tags'] },
    { repositories: ['**'], who: [{ kind: 'user', name: 'alice' }], allow: ['pull', 'metrics'] },
  ],
  new Map(),
);

const asked = fc.record({
  principal: fc.constantFrom(ANONYMOUS, ALICE),
  action: fc.constantFrom(...ACTIONS),
  place: fc.constantFrom(
    undefined,
    { registry: 'a', repository: 'x' },
    { registry: 'a', repository: 'y' },
    { registry: 'b', repository: 'x' },
  ),
});

it('says the same as the rules, however often it is asked', () => {
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 30 }), (questions) => {
      const decisions = new Decisions(RULES);
      for (const { principal, action, place } of questions) {
        const { isAllowed } = RULES.decide(principal, action, place);
        expect(decisions.isAllowed(principal, action, place)).toBe(isAllowed);
      }
    }),
  );
});

it('asks the rules once for each question, until it has too many of all clients together', () => {
  const decide = vi.fn(RULES.decide.bind(RULES));
  const decisions = new Decisions({ decide });
  const ask = (principal: Principal, repository: string): boolean =>
    decisions.isAllowed(principal, 'pull', { registry: 'a', repository });
  ask(ALICE, 'x');
  ask(ALICE, 'x');
  expect(decide).toHaveBeenCalledTimes(1);
  for (let i = 0; i < 100; i += 1) {
    const bob: Principal = { kind: 'user', name: 'bob' };
    for (let j = 0; j < 100; j += 1) ask(bob, `other/${j}`);
  }
  ask(ALICE, 'x');
  expect(decide).toHaveBeenCalledTimes(10_002);
});
