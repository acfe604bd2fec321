import { expect, test } from 'vitest';
import { createEvents, type LarderEvent } from './events.ts';
import { tolerate } from './tolerate.ts';

function listening(): { readonly events: ReturnType<typeof createEvents>; readonly told: LarderEvent[] } {
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  return { events, told };
}

test('a value is passed on, and nothing is reported', async () => {
  const { events, told } = listening();
  expect(await tolerate(events, 'open a blob', () => Promise.resolve(7))).toBe(7);
  expect(told).toEqual([]);
});

test.each([
  ['later', () => Promise.reject(new Error('disk full'))],
  [
    'at once',
    () => {
      throw new Error('disk full');
    },
  ],
])('an operation that fails %s is only reported', async (_, fails) => {
  const { events, told } = listening();
  expect(await tolerate(events, 'open a blob', fails)).toBeUndefined();
  expect(told).toEqual([{ kind: 'store-failed', operation: 'open a blob', error: new Error('disk full') }]);
});
