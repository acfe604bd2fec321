import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextTurn, type TurnRequest } from './next-turn.ts';

/** `a` and `b` are calls of clients; `-` is a call that no client waits for. */
function standing(letters: string): TurnRequest[] {
  return letters.split('').map((letter) => ({ client: letter === '-' ? undefined : letter }));
}

describe('the next to have a turn', () => {
  test.each<[string, number, string, string, string]>([
    ['the first call in the queue, while turns are left', 8, 'a', 'ab', 'a'],
    ['one client alone gets three quarters of the turns', 8, 'aaaaa', 'a', 'a'],
    ['one client alone gets no more', 8, 'aaaaaa', 'a', 'none'],
    ['a call passes calls of clients that hold their share', 8, 'aaaaaa', 'aab', 'b'],
    ['the queue waits if all turns are held', 4, 'aaab', 'c', 'none'],
    ['calls without a client yield to one of a client', 4, '----', 'a', 'a'],
    ['calls without a client count for no client', 4, 'aa--', 'a', 'a'],
    ['a call without a client gets a free turn', 4, 'aaa', '-', '-'],
    ['a call without a client gets no turn before a client', 4, 'aa', '-a', 'a'],
    ['a call without a client gets no turn of another one', 4, '----', '-', 'none'],
    ['any client may get a single turn', 1, '', 'a', 'a'],
  ])('%s', (_, max, holding, waiting, expected) => {
    const next = nextTurn(max, standing(holding), standing(waiting));
    expect(next === undefined ? 'none' : (next.client ?? '-')).toBe(expected);
  });

  test('a client without turns gets one if one is left, and no client ever holds all of several turns', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '-'), { maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 64 }), letters, (max, arrivals) => {
        const holding: TurnRequest[] = [];
        for (const waiting of standing(arrivals.join(''))) {
          const next = nextTurn(max, holding, [waiting]);
          if (next === undefined) continue;
          if (holding.length === max)
            holding.splice(
              holding.findIndex(({ client }) => client === undefined),
              1,
            );
          holding.push(next);
        }
        const wanted = holding.filter(({ client }) => client !== undefined);
        expect(holding.length).toBeLessThanOrEqual(max);
        expect(wanted.filter(({ client }) => client === 'a').length).toBeLessThan(max);
        const late = nextTurn(max, holding, standing('c'));
        expect(late === undefined).toBe(wanted.length === max);
      }),
    );
  });
});
