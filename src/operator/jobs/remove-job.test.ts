import { expect, it } from 'vitest';
import type { JobProgress } from '../../index/job-index.ts';
import { OperatorError } from '../error.ts';
import { removeJob } from './remove-job.ts';

const REMOVED = { tags: 1, blobs: 2, bytes: 3 };

it('goes on with the next reference where one cannot be deleted', async () => {
  const reports: JobProgress[] = [];
  const work = removeJob({
    remove: async (reference) => {
      if (reference === 'none') throw new OperatorError('unknown', 'nothing is cached of it');
      return REMOVED;
    },
  });
  const context = {
    signal: new AbortController().signal,
    report: (said: JobProgress): void => void reports.push(said),
  };
  expect(await work({ references: ['none', 'debian'] }, context)).toEqual({
    removed: [
      { reference: 'none', error: { code: 'unknown', message: 'nothing is cached of it' } },
      { reference: 'debian', ...REMOVED },
    ],
  });
  expect(reports.slice(-2)).toEqual([
    { done: 1, total: 2, unit: 'items', note: 'debian' },
    { done: 2, total: 2, unit: 'items' },
  ]);
});

it.each([new TypeError('x'), undefined])(
  'fails with a mistake of the program, and when it is cancelled',
  async (error) => {
    const controller = new AbortController();
    const references: string[] = [];
    const work = removeJob({
      remove: async (reference) => {
        references.push(reference);
        if (error !== undefined) throw error;
        controller.abort(new Error('cancelled'));
        return REMOVED;
      },
    });
    const context = { signal: controller.signal, report: (): void => {} };
    await expect(work({ references: ['a', 'b'] }, context)).rejects.toThrow(error?.message ?? 'cancelled');
    expect(references).toEqual(['a']);
  },
);
