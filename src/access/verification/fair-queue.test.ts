import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue, type Pushed } from './fair-queue.ts';

/** Puts items into a queue: the first letter of each is its client. */
function fill(queue: FairQueue<string>, items: readonly string[]): Pushed<string>[] {
  return items.map((item) => queue.push(item[0] ?? '', item));
}

function drain(queue: FairQueue<string>): string[] {
  const items: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) items.push(item);
  return items;
}

const ADDED = { displaced: undefined };

describe('a fair queue', () => {
  it('serves the clients in turn, and the items of each in their order', () => {
    const queue = new FairQueue<string>({ perClient: 4, total: 10 });
    fill(queue, ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']);
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
    expect(queue.size).toBe(0);
  });

  it('puts a client that comes back behind the others', () => {
    const queue = new FairQueue<string>({ perClient: 4, total: 10 });
    fill(queue, ['a1', 'b1', 'b2']);
    expect(queue.next()).toBe('a1');
    fill(queue, ['a2']);
    expect(drain(queue)).toEqual(['b1', 'a2', 'b2']);
  });

  it('lets only some items of a client wait', () => {
    const queue = new FairQueue<string>({ perClient: 2, total: 10 });
    expect(fill(queue, ['a1', 'a2', 'a3', 'b1'])).toEqual([ADDED, ADDED, 'full', ADDED]);
    queue.next();
    expect(fill(queue, ['a4'])).toEqual([ADDED]);
  });

  it('gives a client with fewer items the place of one with more', () => {
    const queue = new FairQueue<string>({ perClient: 4, total: 4 });
    expect(fill(queue, ['a1', 'b1', 'b2', 'b3', 'c1', 'c2', 'a2'])).toEqual([
      ADDED,
      ADDED,
      ADDED,
      ADDED,
      { displaced: 'b3' },
      'full',
      'full',
    ]);
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'b2']);
  });

  it('returns all items that it gives up', () => {
    const queue = new FairQueue<string>({ perClient: 4, total: 4 });
    fill(queue, ['a1', 'b1', 'a2']);
    expect(queue.clear()).toEqual(['a1', 'a2', 'b1']);
    expect([queue.size, queue.next()]).toEqual([0, undefined]);
  });

  it('keeps its bounds, and loses no item', () => {
    const limits = { perClient: 3, total: 6 };
    const steps = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd')), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (clients) => {
        const queue = new FairQueue<string>(limits);
        const inside = new Set<string>();
        for (const [number, client] of clients.entries()) {
          const item = `${client}${number}`;
          if (client === null) inside.delete(queue.next() ?? '');
          else {
            const pushed = queue.push(client, item);
            if (pushed !== 'full') inside.add(item).delete(pushed.displaced ?? '');
          }
          expect(queue.size).toBe(inside.size);
          expect(queue.size).toBeLessThanOrEqual(limits.total);
        }
        expect(new Set(drain(queue))).toEqual(inside);
      }),
    );
  });
});
