import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import type { JobEntry, JobSummary } from './job-index.ts';

const ALL = { limit: 100 };

function job(id: string, startedAt: number, rest: Partial<JobEntry> = {}): JobEntry {
  return { id, kind: 'verify', request: { repair: true }, state: 'running', startedAt, ...rest };
}

function idsOf(jobs: readonly JobSummary[]): readonly string[] {
  return jobs.map(({ id }) => id);
}

/** Tests what every implementation does with jobs. */
export function describeJobIndex(subject: Subject): void {
  it('there are none at first', async () => {
    expect(await subject.index.jobs(ALL)).toEqual([]);
    expect(await subject.index.job('a')).toBeUndefined();
  });

  it('are read as they were put last', async () => {
    const { index } = subject;
    await index.putJob(job('a', 1));
    expect(await index.job('a')).toEqual(job('a', 1));
    const progress = { done: 5, total: 7, unit: 'bytes', note: 'reading' } as const;
    const done = job('a', 1, { state: 'done', progress, result: [{ ä: null }], endedAt: 3 });
    await index.putJob(done);
    expect(await index.job('a')).toEqual(done);
    const failed = job('b', 2, { state: 'failed', error: { code: 'failed', message: 'no' }, endedAt: 3 });
    await index.putJob(failed);
    expect(await index.job('b')).toEqual(failed);
  });

  it('are listed without what was requested and what came of it', async () => {
    const { index } = subject;
    const { request, result, ...summary } = job('a', 1, { state: 'done', result: 'much', endedAt: 2 });
    await index.putJob({ ...summary, request, result });
    const [listed] = await index.jobs(ALL);
    expect(listed).toEqual(summary);
    expect(listed).not.toHaveProperty('request');
    expect(listed).not.toHaveProperty('result');
  });

  it('are listed in pages, those that began last first', async () => {
    const { index } = subject;
    for (const [id, startedAt] of [
      ['b', 2],
      ['c', 3],
      ['a', 2],
      ['d', 1],
    ] as const) {
      // prettier-ignore
      await index.putJob(job(id, startedAt));
    }
    expect(idsOf(await index.jobs(ALL))).toEqual(['c', 'b', 'a', 'd']);
    expect(idsOf(await index.jobs({ limit: 2 }))).toEqual(['c', 'b']);
    expect(idsOf(await index.jobs({ after: { id: 'b', startedAt: 2 }, limit: 1 }))).toEqual(['a']);
    expect(idsOf(await index.jobs({ after: { id: 'd', startedAt: 1 }, limit: 1 }))).toEqual([]);
  });

  it('that run become interrupted, and no others', async () => {
    const { index } = subject;
    await index.putJob(job('a', 1, { progress: { done: 1, unit: 'items' } }));
    await index.putJob(job('b', 2, { state: 'done', endedAt: 3 }));
    await index.interruptJobs();
    expect(await index.job('a')).toMatchObject({ state: 'interrupted', progress: { done: 1 } });
    expect(await index.job('b')).toMatchObject({ state: 'done' });
  });

  it('are forgotten but for the last ones, and for those that run', async () => {
    const { index } = subject;
    await index.putJob(job('running', 1));
    for (let n = 2; n <= 5; n += 1) await index.putJob(job(`job-${n}`, n, { state: 'done' }));
    await index.trimJobs(5);
    expect(await index.jobs(ALL)).toHaveLength(5);
    await index.trimJobs(2);
    expect(idsOf(await index.jobs(ALL))).toEqual(['job-5', 'job-4', 'running']);
  });
}
