import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Admission } from './admission.ts';

test('a client beyond its share is refused when no more than a share is left; another client is not', () => {
  const admission = new Admission({ requests: 6, requestsPerClient: 2 });
  expect(['a', 'a', 'a', 'a', 'a', 'b', 'b'].map((client) => admission.enter(client))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    'client',
    undefined,
    undefined,
  ]);
});

test('every client is refused beyond the limit of all', () => {
  const admission = new Admission({ requests: 2, requestsPerClient: 2 });
  expect(['a', 'b', 'c', 'a'].map((client) => admission.enter(client))).toEqual([
    undefined,
    undefined,
    'all',
    'all',
  ]);
});

test('a part has its share of both limits, and at least one request of each', () => {
  const whole = new Admission({ requests: 8, requestsPerClient: 2 });
  const part = whole.part(4);
  expect(['a', 'b', 'c'].map((client) => part.enter(client))).toEqual([undefined, undefined, 'all']);
  expect([part.running, whole.running]).toEqual([2, 0]);
});

/** Returns how many requests of `address` are admitted. */
function roomFor(admission: Admission, address: string): number {
  let entered = 0;
  while (admission.enter(address) === undefined) entered += 1;
  for (let i = 0; i < entered; i += 1) admission.leave(address);
  return entered;
}

test('there are never more requests than the limit; a client below its share is admitted while a share is left', () => {
  const limits = { requests: 7, requestsPerClient: 2 };
  const visits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 100 });
  fc.assert(
    fc.property(visits, (steps) => {
      const admission = new Admission(limits);
      const inside: string[] = [];
      for (const [client, enters] of steps) {
        const mine = inside.filter((other) => other === client).length;
        const free = limits.requests - inside.length;
        if (!enters) {
          const gone = inside.pop();
          if (gone !== undefined) admission.leave(gone);
          continue;
        }
        const isAdmitted = admission.enter(client) === undefined;
        if (isAdmitted) inside.push(client);
        const isShareLeft = free > limits.requestsPerClient;
        expect(isAdmitted).toBe(free > 0 && (isShareLeft || mine < limits.requestsPerClient));
      }
      for (const client of inside) admission.leave(client);
      expect(roomFor(admission, 'd')).toBe(limits.requests - limits.requestsPerClient);
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
  // One place is left after the first, which is one share: so a second request of the same client is refused.
  const admission = new Admission({ requests: 2, requestsPerClient: 1 });
  expect([admission.enter(one), admission.enter(other)]).toEqual([undefined, refusal]);
  admission.leave(one);
  expect(roomFor(admission, other)).toBe(refusal === undefined ? 0 : 1);
});
