import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { stopSignal } from './stop-signal.ts';

/** Counts the listeners: without one, the system handles a signal. */
function listened(source: EventEmitter): number {
  return source.eventNames().length;
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('%s stops; its echo from npm is ignored', async (signal) => {
  const source = new EventEmitter();
  const clock = new ManualClock();
  const stopped = stopSignal(source, clock);
  source.emit(signal, signal);
  source.emit('SIGINT', 'SIGINT');
  expect(await stopped).toBe(signal);
  clock.advance(999);
  expect(listened(source)).toBe(3);
});

test('after a second, the next signal of either kind is the system’s', async () => {
  const source = new EventEmitter();
  const clock = new ManualClock();
  const stopped = stopSignal(source, clock);
  source.emit('SIGTERM', 'SIGTERM');
  await stopped;
  clock.advance(1_000);
  expect(listened(source)).toBe(0);
});
