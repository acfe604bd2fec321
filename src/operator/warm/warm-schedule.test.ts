import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import type { JobEntry, JobError, JobState, JobSummary } from '../../index/job-index.ts';
import { OperatorError } from '../error.ts';
import type { WarmRequest } from './warm-job.ts';
import { isDue, nextDue, parseDueTimes, WarmSchedule, type WarmPlan } from './warm-schedule.ts';

const HOUR = 3_600_000;
const DEBIAN: WarmPlan = { everyMs: HOUR, request: { references: ['debian:12'] } };
const APP: WarmPlan = { everyMs: 3 * HOUR, request: { references: ['ghcr.io/acme/app'] } };

describe('a run', () => {
  it.each([
    ['at first', undefined, true],
    ['before its time', 1001, false],
    ['at its time', 1000, true],
    ['after its time', 1, true],
    ['that lies further ahead than any interval, since the clock was set back', 1000 + 1.2 * HOUR, true],
  ])('%s', (_, dueAt, due) => {
    expect(isDue(dueAt, HOUR, 1000)).toBe(due);
  });

  it('is followed by the next after its interval, give or take a tenth, and that one is not due before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60_000, max: 1e10 }),
        fc.integer({ min: 0, max: 1e13 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (everyMs, now, random) => {
          const dueAt = nextDue({ everyMs }, now, random);
          expect(Math.abs(dueAt - now - everyMs)).toBeLessThanOrEqual(everyMs / 10 + 1);
          expect(isDue(dueAt, everyMs, now)).toBe(false);
        },
      ),
    );
  });
});

describe('parseDueTimes', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['null', {}],
    ['[1]', { 0: 1 }],
    ['{"a":5,"b":"6","c":null}', { a: 5 }],
  ])('reads %j', (text, times) => {
    expect(parseDueTimes(text)).toEqual(times);
  });
});

describe('the schedule', () => {
  let clock: ManualClock;
  let note: string | undefined;
  let started: { id: string; request: WarmRequest; state: JobState }[];
  let listeners: Set<(job: JobSummary) => void>;
  let events: LarderEvent[];
  let schedule: WarmSchedule;
  let isBusy: boolean;
  let results: Map<string, unknown>;
  let failure: JobError | undefined;

  beforeEach(() => {
    clock = new ManualClock(0);
    note = undefined;
    started = [];
    listeners = new Set();
    events = [];
    isBusy = false;
    results = new Map();
    failure = undefined;
    schedule = create();
  });
  afterEach(async () => {
    await schedule.close();
    const left = [...clock.left, ...listeners];
    if (left.length > 0) throw new Error(`left: ${left.join()}`);
  });

  function create(plans: readonly WarmPlan[] = [DEBIAN, APP]): WarmSchedule {
    const bus = createEvents();
    bus.subscribe((event) => events.push(event));
    return new WarmSchedule({
      plans,
      jobs: {
        async start(_, request) {
          if (isBusy) throw new OperatorError('busy', '4 jobs run already');
          const id = `job-${started.length}`;
          started.push({ id, request, state: 'running' });
          return { id };
        },
        get: async (id) => entry(id),
        watch(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      index: {
        note: async () => note,
        async putNote(_, text) {
          note = text;
        },
      },
      clock,
      events: bus,
      random: () => 0.5,
    });
  }

  function entry(id: string): JobEntry {
    const result = results.get(id) ?? { images: [], failed: 0 };
    const job = started.find((each) => each.id === id);
    const state = job?.state ?? 'done';
    const end = state === 'done' ? { result } : { error: failure };
    return { id, kind: 'warm', request: job?.request, state, startedAt: 0, ...end };
  }

  /** Ends the jobs that run, and waits until the schedule has seen it. */
  async function end(state: JobState = 'done'): Promise<void> {
    for (const job of started.filter((each) => each.state === 'running')) {
      job.state = state;
      for (const listener of listeners) listener(entry(job.id));
    }
    await settled();
  }

  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 30_000) {
      clock.advance(30_000);
      await settled();
    }
  }

  const references = (): readonly string[] => started.flatMap(({ request }) => request.references);

  it('runs every plan at first, and each again after its own interval', async () => {
    schedule.start();
    await settled();
    expect(references()).toEqual(['debian:12', 'ghcr.io/acme/app']);
    await end();
    await pass(HOUR - 60_000);
    expect(started).toHaveLength(2);
    await pass(60_000);
    expect(references().slice(2)).toEqual(['debian:12']);
  });

  it('does not begin a run while the one before is under way', async () => {
    schedule.start();
    await settled();
    await pass(2 * HOUR);
    expect(started).toHaveLength(2);
    await end();
    await pass(30_000);
    expect(references().slice(2)).toEqual(['debian:12']);
  });

  it('remembers over a restart when the next runs are due', async () => {
    schedule.start();
    await settled();
    await end();
    await schedule.close();
    schedule = create();
    schedule.start();
    await settled();
    expect(started).toHaveLength(2);
  });

  it('runs again after a restart what was broken off, and what is new', async () => {
    schedule.start();
    await settled();
    await end('interrupted');
    await schedule.close();
    schedule = create([DEBIAN, { ...DEBIAN, request: { references: ['alpine'] } }]);
    schedule.start();
    await settled();
    expect(references().slice(2)).toEqual(['debian:12', 'alpine']);
  });

  it('forgets plans that are no more', async () => {
    note = JSON.stringify({ gone: 5 });
    schedule.start();
    await settled();
    await end();
    expect(Object.keys(parseDueTimes(note))).toHaveLength(2);
  });

  it('tries again when too many jobs run', async () => {
    isBusy = true;
    schedule.start();
    await settled();
    isBusy = false;
    await pass(30_000);
    expect(started).toHaveLength(2);
    expect(events).toEqual([]);
  });

  it('reports images that are not whole', async () => {
    await schedule.close();
    schedule = create([DEBIAN]);
    schedule.start();
    await settled();
    const failures = [{ digest: undefined, reason: 'docker.io is down' }];
    const result = { images: [{ reference: 'debian:12', parts: 0, bytes: 0, failures }], failed: 1 };
    const [job] = started;
    if (job === undefined) throw new Error('nothing has begun');
    const { id } = job;
    job.state = 'done';
    results.set(id, result);
    for (const listener of listeners) listener(entry(id));
    await settled();
    expect(events).toMatchObject([
      {
        kind: 'maintenance-failed',
        task: 'warm',
        error: { message: '1 of 1 images are not whole, among them debian:12: docker.io is down' },
      },
    ]);
  });

  it.each<[JobState, JobError | undefined, readonly unknown[]]>([
    [
      'failed',
      { code: 'invalid', message: 'debian: not served' },
      [{ kind: 'maintenance-failed', task: 'warm', error: { message: 'debian: not served' } }],
    ],
    ['cancelled', undefined, []],
  ])('begins the next run after one that was %s only after the interval', async (state, error, told) => {
    await schedule.close();
    schedule = create([DEBIAN]);
    schedule.start();
    await settled();
    failure = error;
    await end(state);
    expect(events).toMatchObject(told);
    await pass(HOUR - 30_000);
    expect(started).toHaveLength(1);
    await pass(30_000);
    expect(started).toHaveLength(2);
  });

  it('begins nothing after its end', async () => {
    schedule.start();
    await schedule.close();
    await settled();
    expect(started).toEqual([]);
  });
});
