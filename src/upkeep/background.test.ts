import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createEvents } from '../events.ts';
import { Background } from './background.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const forget = (): Promise<void> => Promise.resolve();

it('reconciles at the start, and just once more if the index is replaced several times meanwhile', async () => {
  const events = createEvents();
  const ends: (() => void)[] = [];
  const reconcile = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
  const background = new Background({
    upkeep: { reconcile, forget },
    clock: new ManualClock(),
    events,
    schedule: undefined,
  });
  background.start();
  expect(ends).toHaveLength(1);
  const replaced = { kind: 'index-replaced', setAside: '/x', error: new Error('damaged') } as const;
  events.emit(replaced);
  events.emit(replaced);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await turn();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await turn();
  expect(ends).toHaveLength(2);
  events.emit(replaced);
  expect(ends).toHaveLength(3);
  ends[2]?.();
  await background.close();
  events.emit(replaced);
  expect(ends).toHaveLength(3);
});

it('breaks off when it is closed', async () => {
  const reconcile = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  const background = new Background({
    upkeep: { reconcile, forget },
    clock: new ManualClock(),
    events: createEvents(),
    schedule: undefined,
  });
  background.start();
  await background.close();
});

it('forgets rows that have outlived their bytes after reconciling, and once a day', async () => {
  const clock = new ManualClock();
  const done: string[] = [];
  const background = new Background({
    upkeep: {
      reconcile: async () => void done.push('reconcile'),
      forget: async () => void done.push('forget'),
    },
    clock,
    events: createEvents(),
    schedule: undefined,
  });
  background.start();
  await turn();
  expect(done).toEqual(['reconcile', 'forget']);
  clock.advance(23 * 3_600_000);
  expect(done).toHaveLength(2);
  clock.advance(25 * 3_600_000);
  expect(done).toEqual(['reconcile', 'forget', 'forget', 'forget']);
  await background.close();
  expect(clock.pending).toBe(0);
});
