import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Syncs } from './syncs.ts';

const ENOUGH = 16 * 1024 * 1024;

/** Creates a handle whose syncs end when the test resolves them. */
function stubHandle() {
  const calls: string[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const call = (name: string) => (): Promise<void> => {
    calls.push(name);
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return end.promise;
  };
  const handle = { sync: call('sync'), datasync: call('datasync') } as unknown as FileHandle;
  return { handle, calls, ends };
}

test('a growing file is synced once for every 16 MiB, one sync at a time', async () => {
  const { handle, calls, ends } = stubHandle();
  const file = new Syncs(2).growing(handle);
  file.countWritten(ENOUGH - 1);
  await setImmediate();
  expect(calls).toEqual([]);
  file.countWritten(1);
  file.countWritten(ENOUGH);
  await setImmediate();
  expect(calls).toEqual(['datasync']);
  ends[0]?.resolve();
  await file.settle();
  file.countWritten(1);
  await setImmediate();
  expect(calls).toEqual(['datasync', 'datasync']);
  ends[1]?.resolve();
  await file.settle();
  file.countWritten(ENOUGH - 1);
  await setImmediate();
  expect(calls).toEqual(['datasync', 'datasync']);
});

test('a growing file is synced whole at its end, when the sync before is over', async () => {
  const { handle, calls, ends } = stubHandle();
  const file = new Syncs(2).growing(handle);
  file.countWritten(ENOUGH);
  const end = file.sync();
  await setImmediate();
  expect(calls).toEqual(['datasync']);
  ends[0]?.resolve();
  await setImmediate();
  expect(calls).toEqual(['datasync', 'sync']);
  ends[1]?.resolve();
  await end;
});

test('the error of a sync that failed meanwhile is kept, since the kernel reports it only once', async () => {
  const { handle, calls, ends } = stubHandle();
  const file = new Syncs(2).growing(handle);
  file.countWritten(ENOUGH);
  await setImmediate();
  const error = Object.assign(new Error('cannot write'), { code: 'EIO' });
  ends[0]?.reject(error);
  await file.settle();
  await expect(file.sync()).rejects.toBe(error);
  expect(calls).toEqual(['datasync']);
});

test('no more than two syncs run at once, and a finished file goes before a growing one', async () => {
  const syncs = new Syncs(2);
  const [one, two, three, growing] = [stubHandle(), stubHandle(), stubHandle(), stubHandle()];
  const ended = [one, two, three].map(({ handle }) => syncs.growing(handle).sync());
  await setImmediate();
  syncs.growing(growing.handle).countWritten(ENOUGH);
  await setImmediate();
  expect([one, two, three, growing].map(({ calls }) => calls.length)).toEqual([1, 1, 0, 0]);
  one.ends[0]?.resolve();
  two.ends[0]?.resolve();
  await setImmediate();
  expect(three.calls).toEqual(['sync']);
  three.ends[0]?.resolve();
  await Promise.all(ended);
});

test.each([
  ['runs', 1],
  ['is about to run', 0],
])('nothing is synced ahead while another sync %s', async (_, turns) => {
  const syncs = new Syncs(2);
  const [ending, growing] = [stubHandle(), stubHandle()];
  const ended = syncs.file(ending.handle, 1);
  for (let turn = 0; turn < turns; turn++) await setImmediate();
  expect(syncs.ahead(growing.handle)).toBeUndefined();
  await setImmediate();
  ending.ends[0]?.resolve();
  await ended;
  expect(growing.calls).toEqual([]);
});

test('bytes that could not be synced ahead are synced with the next ones', async () => {
  const syncs = new Syncs(2);
  const [ending, growing] = [stubHandle(), stubHandle()];
  const ended = syncs.file(ending.handle, 1);
  const file = syncs.growing(growing.handle);
  file.countWritten(ENOUGH);
  await setImmediate();
  ending.ends[0]?.resolve();
  await ended;
  await setImmediate();
  expect(growing.calls).toEqual([]);
  file.countWritten(1);
  await setImmediate();
  expect(growing.calls).toEqual(['datasync']);
  growing.ends[0]?.resolve();
  await file.settle();
});

test('a small file that has ended does not wait for large ones', async () => {
  const syncs = new Syncs(1);
  const [first, large, small] = [stubHandle(), stubHandle(), stubHandle()];
  const files = [first, large, small].map(({ handle }) => syncs.growing(handle));
  const running = files[0]!.sync();
  files[1]!.countWritten(1024 * 1024 + 1);
  files[2]!.countWritten(1024 * 1024);
  const ended = [files[1]!.sync(), files[2]!.sync()];
  await setImmediate();
  first.ends[0]?.resolve();
  await running;
  await setImmediate();
  expect([large.calls, small.calls]).toEqual([[], ['sync']]);
  small.ends[0]?.resolve();
  await ended[1];
  await setImmediate();
  large.ends[0]?.resolve();
  await ended[0];
});
