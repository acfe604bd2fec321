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

it('asks the rules once for each question, until it has too many', () => {
  const decide = vi.fn(RULES.decide.bind(RULES));
  const decisions = new Decisions({ decide });
  const ask = (repository: string): boolean =>
    decisions.isAllowed(ALICE, 'pull', { registry: 'a', repository });
  ask('x');
  ask('x');
  expect(decide).toHaveBeenCalledTimes(1);
  for (let i = 0; i < 1_000; i += 1) ask(`other/${i}`);
  ask('x');
  expect(decide).toHaveBeenCalledTimes(1_002);
});
