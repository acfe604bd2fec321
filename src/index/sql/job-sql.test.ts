import { expect, it } from 'vitest';
import { IndexDamagedError } from '../error.ts';
import { toJobEntry, toJobSummary, type JobRows } from './job-sql.ts';

const ROW: JobRows['job'] = {
  id: 'a',
  kind: 'verify',
  state: 'failed',
  progress: '{"done":1,"unit":"items"}',
  error: '{"code":"failed","message":"no"}',
  started_at: 1,
  ended_at: 2,
  request: '{"repair":true}',
  result: null,
};

it('a job is read from its row', () => {
  expect(toJobEntry(ROW)).toEqual({
    id: 'a',
    kind: 'verify',
    state: 'failed',
    progress: { done: 1, unit: 'items' },
    error: { code: 'failed', message: 'no' },
    startedAt: 1,
    endedAt: 2,
    request: { repair: true },
    result: undefined,
  });
});

it.each(['progress', 'error'] as const)('a job whose %s is no JSON is damage', (column) => {
  expect(() => toJobSummary({ ...ROW, [column]: '{' })).toThrow(IndexDamagedError);
});

it.each(['request', 'result'] as const)('a job whose %s is no JSON is damage', (column) => {
  expect(() => toJobEntry({ ...ROW, [column]: '{' })).toThrow(IndexDamagedError);
});
