import { promisify } from 'node:util';
import pLimit from 'p-limit';
import type { HostPlatform, Sendfile } from './sendfile.ts';

/** fcntl(2): duplicates to the lowest free descriptor, which started programs do not inherit. */
const F_DUPFD_CLOEXEC = 1030;

/** ioctl(2): the number of bytes that a socket holds and its client has not got yet (tcp(7)). */
const SIOCOUTQ = 0x5411;

/**
 * Loads the sendfile(2) of this machine, by koffi.
 * @param calls most calls at the same time: each holds one of Node's threads for as long as the disk takes
 * @throws Error with the reason if there is none: another system, or koffi is not installed
 */
export async function loadSendfile({ platform, arch }: HostPlatform, calls: number): Promise<Sendfile> {
  if (platform !== 'linux') throw new Error(`${platform} has no sendfile(2) like Linux's`);
  // On 32 bits the offset has another type.
  if (!arch.endsWith('64')) throw new Error(`no sendfile(2) with 64-bit offsets on ${arch}`);
  const { default: koffi } = await import('koffi');
  // The C library that this process is linked with: GNU's and musl's have different file names.
  const libc = koffi.load(null);
  const sendfile = libc.func('int64_t sendfile(int out, int in, int64_t *offset, uint64_t count)');
  const fcntl = libc.func('int fcntl(int descriptor, int command, ...)');
  const close = libc.func('int close(int descriptor)');
  const ioctl = libc.func('int ioctl(int descriptor, unsigned long request, ...)');
  const call = promisify(sendfile.async) as (
    out: number,
    from: number,
    offset: readonly number[],
    count: number,
  ) => Promise<number>;
  const inTurn = pLimit(calls);
  return {
    send: (socket, file, position, count) => inTurn(call, socket, file, [position], count),
    duplicate: (descriptor) => {
      const duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 'int', 0) as number;
      return duplicate < 0 ? undefined : duplicate;
    },
    close: (descriptor) => void close(descriptor),
    unsent: (socket) => {
      const bytes: [number] = [0];
      return ioctl(socket, SIOCOUTQ, '_Out_ int *', bytes) === 0 ? bytes[0] : undefined;
    },
  };
}
