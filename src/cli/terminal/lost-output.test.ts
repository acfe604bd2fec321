import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { failIfLost } from './lost-output.ts';

const told: unknown[] = [];

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation((text) => void told.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  told.length = 0;
  process.exitCode = undefined;
});

/** What is told of a stream of which some writes fail, and the exit code. */
function after(codes: readonly string[], listen: (stream: Writable) => void = () => undefined): unknown {
  const stream = new Writable();
  failIfLost(stream);
  listen(stream);
  for (const code of codes) stream.emit('error', Object.assign(new Error('the write failed'), { code }));
  return [told, process.exitCode];
}

it('output that is lost is told once, and is a failure', () => {
  expect(after(['ENOSPC', 'ENOSPC'])).toEqual([['larder: the output cannot be written: ENOSPC'], 1]);
});

it('output is not lost if the reader has closed its end', () => {
  expect(after(['EPIPE'])).toEqual([[], undefined]);
});

it('output that is lost is told by what looks for errors itself', () => {
  expect(after(['ENOSPC'], (stream) => stream.on('error', () => undefined))).toEqual([[], undefined]);
});
