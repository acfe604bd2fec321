import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import type { ContentIndex } from '../../index/content-index.ts';
import { IndexError } from '../../index/error.ts';
import type { JobEntry, JobSummary } from '../../index/job-index.ts';
import { openSqliteIndex } from '../../index/sqlite/sqlite-index.ts';
import { OperatorError } from '../error.ts';
import type { JobContext, JobWork } from './job-work.ts';
import { Jobs } from './jobs.ts';

/** One call of the work, which the test ends. */
interface Call {
  readonly request: string;
  readonly context: JobContext;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface TestKinds {
  readonly copy: JobWork<string, unknown>;
}

describe('the jobs', () => {
  let index: ContentIndex;
  let clock: ManualClock;
  let jobs: Jobs<TestKinds>;
  let calls: Call[];
  let told: JobSummary[];
  let events: LarderEvent[];

  beforeEach(async () => {
    index = await openSqliteIndex(':memory:');
    clock = new ManualClock(0);
    jobs = create(index);
    return async () => {
      for (const call of calls) call.reject(call.context.signal.reason);
      await jobs.close();
      if (clock.pending > 0) throw new Error(clock.left.join());
      await index.close();
    };
  });

  function create(on: ContentIndex): Jobs<TestKinds> {
    let ids = 0;
    calls = [];
    told = [];
    events = [];
    const bus = createEvents();
    bus.subscribe((event) => events.push(event));
    const copy = (request: string, context: JobContext): Promise<unknown> =>
      new Promise((resolve, reject) => {
        calls.push({ request, context, resolve, reject });
        context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
      });
    const created = new Jobs({
      kinds: { copy },
      index: on,
      clock,
      events: bus,
      randomId: () => `id-${(ids += 1)}`,
    });
    created.watch((job) => told.push(job));
    return created;
  }

  /** Starts a job and waits until its work has begun. */
  async function start(request = 'a'): Promise<{ id: string; call: Call }> {
    const { id } = await jobs.start('copy', request);
    await expect.poll(() => calls.at(-1)?.request).toBe(request);
    return { id, call: calls.at(-1) as Call };
  }

  async function ended(id: string): Promise<JobEntry> {
    await expect.poll(async () => (await jobs.get(id)).state).not.toBe('running');
    return jobs.get(id);
  }

  it('run with their request, and end with their result', async () => {
    const { id, call } = await start('this');
    expect(await jobs.get(id)).toEqual({
      id,
      kind: 'copy',
      request: 'this',
      state: 'running',
      startedAt: 0,
    });
    clock.advance(5);
    call.resolve({ copied: 1 });
    expect(await ended(id)).toMatchObject({ state: 'done', result: { copied: 1 }, startedAt: 0, endedAt: 5 });
    expect(await index.job(id)).toMatchObject({ state: 'done', result: { copied: 1 } });
  });

  it.each([
    ['an error for the operator', new OperatorError('unknown', 'no such image'), 'no such image', 'unknown'],
    ['one of the index', new IndexError('the disk is full', 'SQLITE_FULL'), 'the disk is full', 'failed'],
    ['a mistake of the program', new TypeError('x is undefined'), 'internal error', 'failed'],
  ])('that reject with %s fail and say why', async (_, error, message, code) => {
    const { id, call } = await start();
    call.reject(error);
    expect(await ended(id)).toMatchObject({ state: 'failed', error: { code, message } });
    expect(events).toEqual(
      error instanceof TypeError ? [{ kind: 'server-failed', operation: 'job copy', error }] : [],
    );
  });

  it('fail, too, if their work throws at once', async () => {
    const broken = new Jobs({
      kinds: {
        copy: () => {
          throw new OperatorError('invalid', 'no');
        },
      },
      index,
      clock,
      events: createEvents(),
      randomId: () => 'broken',
    });
    await broken.start('copy', 'a' as never);
    await expect.poll(async () => (await broken.get('broken')).state).toBe('failed');
  });

  it('are recorded before their work begins', async () => {
    jobs = create({ ...index, putJob: () => Promise.reject(new IndexError('full', 'SQLITE_FULL')) });
    await expect(jobs.start('copy', 'a')).rejects.toMatchObject({ code: 'failed', message: 'full' });
    expect(calls).toEqual([]);
    await expect(jobs.get('id-1')).rejects.toMatchObject({ code: 'unknown' });
  });

  it('whose end cannot be recorded are known while the process runs', async () => {
    let isFull = false;
    const putJob: ContentIndex['putJob'] = async (job) => {
      if (isFull) throw new IndexError('full', 'SQLITE_FULL');
      return index.putJob(job);
    };
    jobs = create({ ...index, putJob });
    const { id, call } = await start();
    isFull = true;
    call.resolve('result');
    expect(await ended(id)).toMatchObject({ state: 'done', result: 'result' });
    expect((await jobs.list({ limit: 1 }))[0]).toMatchObject({ state: 'done' });
    expect(events).toMatchObject([{ kind: 'store-failed', operation: 'record a job' }]);
  });

  it('tell their progress, seldom enough to be followed', async () => {
    const { id, call } = await start();
    told = [];
    for (let done = 0; done < 1000; done += 1) call.context.report({ done, unit: 'items' });
    expect(told.map(({ progress }) => progress?.done)).toEqual([0]);
    expect(await jobs.get(id)).toMatchObject({ progress: { done: 999 } });
    clock.advance(250);
    clock.advance(250);
    expect(told.map(({ progress }) => progress?.done)).toEqual([0, 999]);
    call.context.report({ done: 1000, unit: 'items' });
    expect(told.at(-1)?.progress?.done).toBe(1000);
  });

  it('tell their beginning and their end, and nothing afterwards', async () => {
    const { id, call } = await start();
    call.context.report({ done: 1, unit: 'items' });
    call.resolve('result');
    await ended(id);
    await expect.poll(() => told.map(({ state }) => state)).toEqual(['running', 'running', 'done']);
    expect(told.at(-1)).not.toHaveProperty('result');
    call.context.report({ done: 2, unit: 'items' });
    clock.advance(1000);
    expect(told).toHaveLength(3);
    expect(await jobs.get(id)).toMatchObject({ progress: { done: 1 } });
  });

  it('do not keep a request that is too long', async () => {
    const { id, call } = await start('x'.repeat(100_000));
    expect(call.request).toHaveLength(100_000);
    expect(await jobs.get(id)).toMatchObject({ request: null });
  });

  it('tell a listener no more that has gone', async () => {
    const heard: JobSummary[] = [];
    jobs.watch((job) => heard.push(job))();
    await start();
    expect(heard).toEqual([]);
  });

  it('end when they are cancelled, and then stay as they are', async () => {
    const { id } = await start();
    await jobs.cancel(id);
    expect(await ended(id)).toMatchObject({ state: 'cancelled' });
    expect(await jobs.cancel(id)).toMatchObject({ state: 'cancelled' });
    await expect(jobs.cancel('other')).rejects.toMatchObject({ code: 'unknown' });
  });

  it('are done if their work was done before it heard of the cancelling', async () => {
    const { id, call } = await start();
    call.resolve('result');
    await jobs.cancel(id);
    expect(await ended(id)).toMatchObject({ state: 'done', result: 'result' });
  });

  it('are refused while too many run', async () => {
    const first = await start('0');
    for (const request of ['1', '2', '3']) await start(request);
    await expect(jobs.start('copy', '4')).rejects.toMatchObject({ code: 'busy' });
    first.call.resolve('result');
    await ended(first.id);
    await start('4');
  });

  it('are listed, those that began last first, as they are now', async () => {
    const { id: first, call } = await start('1');
    clock.advance(1);
    const { id: second } = await start('2');
    call.context.report({ done: 7, unit: 'bytes' });
    const listed = await jobs.list({ limit: 10 });
    expect(listed.map(({ id }) => id)).toEqual([second, first]);
    expect(listed[1]).toMatchObject({ progress: { done: 7 } });
    expect(await jobs.list({ limit: 10, after: { id: second, startedAt: 1 } })).toHaveLength(1);
  });

  it('are forgotten in the end', async () => {
    for (let n = 0; n < 205; n += 1) {
      await index.putJob({ id: `old-${n}`, kind: 'copy', request: 1, state: 'done', startedAt: n - 1000 });
    }
    const { id, call } = await start();
    call.resolve('result');
    await ended(id);
    await expect.poll(async () => (await jobs.list({ limit: 1000 })).length).toBe(200);
  });

  it('that run when the process ends are interrupted', async () => {
    const { id } = await start();
    await jobs.close();
    expect(await index.job(id)).toMatchObject({ state: 'interrupted' });
    await expect(jobs.start('copy', 'b')).rejects.toMatchObject({ code: 'failed' });
  });

  it('that ran when the process died are interrupted after a restart', async () => {
    const { id } = await start();
    const again = new Jobs<TestKinds>({
      kinds: { copy: () => Promise.resolve() },
      index,
      clock,
      events: createEvents(),
      randomId: () => 'new',
    });
    await again.restore();
    expect(await again.get(id)).toMatchObject({ state: 'interrupted', request: 'a' });
    await expect(again.get(id)).resolves.not.toHaveProperty('endedAt', expect.anything());
  });
});
