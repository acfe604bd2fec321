import { promisify } from 'node:util';
import pLimit from 'p-limit';
import type { Sendfile } from './sendfile.ts';

/** fcntl(2): the lowest free descriptor, closed in programs that are started. */
const F_DUPFD_CLOEXEC = 1030;

/**
 * Calls at the same time. Each takes a thread and some memory; none waits for a socket, only for a disk, so that
 * more of them would not send more.
 */
const CALLS = 8;

/**
 * The sendfile(2) of this machine, by koffi.
 * @throws Error with the reason where there is none: another system, or koffi is not installed
 */
export async function loadSendfile(platform: NodeJS.Platform, arch: NodeJS.Architecture): Promise<Sendfile> {
  if (platform !== 'linux') throw new Error(`${platform} has no sendfile(2) like Linux's`);
  // The offset's type differs on 32 bits.
  if (!arch.endsWith('64')) throw new Error(`no sendfile(2) with 64-bit offsets on ${arch}`);
  const { default: koffi } = await import('koffi');
  // What this process is linked with: GNU's C library and musl's have other file names.
  const libc = koffi.load(null);
  const sendfile = libc.func('int64_t sendfile(int out, int in, int64_t *offset, uint64_t count)');
  const fcntl = libc.func('int fcntl(int descriptor, int command, ...)');
  const close = libc.func('int close(int descriptor)');
  const call = promisify(sendfile.async) as (
    out: number,
    from: number,
    offset: readonly number[],
    count: number,
  ) => Promise<number>;
  const inTurn = pLimit(CALLS);
  return {
    send: (socket, file, position, count) => inTurn(call, socket, file, [position], count),
    duplicate: (descriptor) => {
      const duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 'int', 0) as number;
      return duplicate < 0 ? undefined : duplicate;
    },
    close: (descriptor) => void close(descriptor),
  };
}
