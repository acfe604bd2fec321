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

/** How many requests of `address` there is room for. */
function roomFor(admission: Admission, address: string): number {
  let entered = 0;
  while (admission.enter(address) === undefined) entered += 1;
  for (let i = 0; i < entered; i += 1) admission.leave(address);
  return entered;
}

test('who leaves makes room', () => {
  const admission = new Admission({ requests: 5, requestsPerClient: 3 });
  const visits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 100 });
  fc.assert(
    fc.property(visits, (steps) => {
      const inside: string[] = [];
      for (const [client, enters] of steps) {
        if (enters && admission.enter(client) === undefined) inside.push(client);
        const gone = enters ? undefined : inside.pop();
        if (gone !== undefined) admission.leave(gone);
        const mine = inside.filter((other) => other === client).length;
        expect(roomFor(admission, client)).toBe(Math.min(3 - mine, 5 - inside.length));
      }
      for (const client of inside) admission.leave(client);
      for (const client of ['a', 'b', 'c']) expect(roomFor(admission, client)).toBe(3);
    }),
  );
});

test.each([
  ['addresses of one /64', '2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', 'client'],
  ['one address, written in two ways', '2001:DB8:1:2:0:0:0:1', '2001:db8:1:2::1', 'client'],
  ['IPv4, by itself and mapped into IPv6', '192.0.2.1', '::ffff:192.0.2.1', 'client'],
  ['addresses of neighbouring /64', '2001:db8:1:2::1', '2001:db8:1:3::1', undefined],
  ['two addresses of IPv4', '192.0.2.1', '192.0.2.2', undefined],
  ['two of IPv4, mapped into IPv6', '::ffff:192.0.2.1', '::ffff:192.0.2.2', undefined],
  ['no address, since the socket is gone', '', '192.0.2.1', undefined],
] as const)('%s: %s and %s', (_, one, other, refusal) => {
  const admission = new Admission({ requests: 10, requestsPerClient: 1 });
  expect([admission.enter(one), admission.enter(other)]).toEqual([undefined, refusal]);
  admission.leave(one);
  expect([roomFor(admission, one), roomFor(admission, other)]).toEqual(
    refusal === undefined ? [1, 0] : [1, 1],
  );
});
