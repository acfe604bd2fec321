import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

test('one client is refused beyond its limit, another is not', () => {
  const admission = new Admission({ requests: 10, requestsPerClient: 2 });
  expect(['a', 'a', 'a', 'b'].map((client) => admission.enter(client))).toEqual([
    undefined,
    undefined,
    'client',
    undefined,
  ]);
});

test('everybody is refused beyond the limit of all', () => {
  const admission = new Admission({ requests: 2, requestsPerClient: 2 });
  expect(['a', 'b', 'c', 'a'].map((client) => admission.enter(client))).toEqual([
    undefined,
    undefined,
    'all',
    'all',
  ]);
});

test('who leaves makes room, and nothing is kept of clients that are gone', () => {
  const admission = new Admission({ requests: 5, requestsPerClient: 3 });
  const visits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 100 });
  fc.assert(
    fc.property(visits, (steps) => {
      const inside: string[] = [];
      for (const [client, enters] of steps) {
        if (enters && admission.enter(client) === undefined) inside.push(client);
        const gone = enters ? undefined : inside.pop();
        if (gone !== undefined) admission.leave(gone);
        expect(admission.running).toBe(inside.length);
        expect(admission.running).toBeLessThanOrEqual(5);
        expect(inside.filter((other) => other === client).length).toBeLessThanOrEqual(3);
      }
      for (const client of inside) admission.leave(client);
      expect([admission.running, admission.clients]).toEqual([0, 0]);
    }),
  );
});
