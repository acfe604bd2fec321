import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../events.ts';
import { digestOf } from '../oci/digest.ts';
import { isDue, parseNote, VerifySchedule } from './verify-schedule.ts';
import type { VerifyOptions, VerifyReport } from './verify.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const A = digestOf('a');

describe('a verification is due', () => {
  it.each([
    [true, 'where there was none', {}],
    [true, 'where one was broken off', { finishedAt: 99, after: A }],
    [true, 'after its time', { finishedAt: 90 }],
    [false, 'not before', { finishedAt: 91 }],
    [true, 'where the clock was set back', { finishedAt: 101 }],
  ])('%s: %s', (expected, _, note) => {
    expect(isDue(note, 10, 100)).toBe(expected);
  });
});

describe('a note', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['{', {}],
    ['null', {}],
    ['[]', {}],
    ['{"finishedAt":"x","after":"../a"}', {}],
    [`{"finishedAt":5,"after":"${A}"}`, { finishedAt: 5, after: A }],
  ])('%j is read', (text, expected) => {
    expect(parseNote(text)).toEqual({ finishedAt: undefined, after: undefined, ...expected });
  });
});

/** Creates a schedule whose runs the test ends. */
function start() {
  const clock = new ManualClock();
  const bus = createEvents();
  const events: LarderEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const notes = new Map<string, string>();
  const runs: { options: VerifyOptions; end: (error?: Error) => void }[] = [];
  const index = {
    note: async (name: string) => notes.get(name),
    putNote: async (name: string, text: string) => void notes.set(name, text),
  };
  const verify = (options: VerifyOptions): Promise<VerifyReport> => {
    const { promise, resolve, reject } = Promise.withResolvers<VerifyReport>();
    const end = (error?: Error): void => {
      if (error === undefined) resolve({ steps: [], totals: {}, isSound: true });
      else reject(error);
    };
    options.signal.addEventListener('abort', () => end(new Error('aborted')));
    runs.push({ options, end });
    return promise;
  };
  const open = (): VerifySchedule =>
    new VerifySchedule({
      upkeep: { verify },
      index,
      clock,
      events: bus,
      everyMs: 30 * DAY,
      bytesPerSecond: 7,
    });
  return { clock, events, notes, runs, open };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a schedule', () => {
  it('verifies at once, and again after an interval longer than any timer', async () => {
    const { clock, runs, open } = start();
    const schedule = open();
    schedule.start();
    await turn();
    expect(runs).toHaveLength(1);
    expect(runs[0]?.options).toMatchObject({ repair: false, bytesPerSecond: 7, after: undefined });
    runs[0]?.end();
    await turn();
    for (let hour = 0; hour < 30 * 24 - 1; hour += 1) {
      clock.advance(HOUR);
      await turn();
    }
    expect(runs).toHaveLength(1);
    clock.advance(HOUR);
    await turn();
    expect(runs).toHaveLength(2);
    await schedule.close();
    expect(clock.pending).toBe(0);
  });

  it('continues after a restart from where it was', async () => {
    const { runs, open, events } = start();
    const first = open();
    first.start();
    await turn();
    await runs[0]?.options.onPosition?.(A);
    await first.close();
    const second = open();
    second.start();
    await turn();
    expect(runs[1]?.options.after).toBe(A);
    runs[1]?.end();
    await turn();
    await second.close();
    const third = open();
    third.start();
    await turn();
    expect(runs).toHaveLength(2);
    expect(events).toEqual([]);
    await third.close();
  });

  it('reports a run that fails, and tries again', async () => {
    const { clock, runs, open, events } = start();
    const schedule = open();
    schedule.start();
    await turn();
    const error = new Error('the disk is gone');
    runs[0]?.end(error);
    await turn();
    expect(events).toEqual([{ kind: 'maintenance-failed', task: 'verify', error }]);
    clock.advance(HOUR);
    await turn();
    expect(runs).toHaveLength(2);
    await schedule.close();
  });
});
