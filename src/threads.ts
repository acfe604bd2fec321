/**
 * The shares of Node's own threads, which open, read, write and sync files and look up names. A share bounds each kind
 * of work that may hold many threads while a disk is slow.
 */
export interface ThreadShares {
  /** Calls of sendfile(2) at the same time. Each reads up to 8 MiB from the disk. */
  readonly sendfiles: number;
  /** Syncs of files and directories at the same time. */
  readonly syncs: number;
  // The rest, more than a third, opens, reads and writes files and looks up names meanwhile.
}

/** Node's default number of threads. */
const NODE_DEFAULT = 4;

/** libuv's own bound is 1024, but each thread takes memory, and disks have queues of some 32. */
const MOST = 32;

/** Returns the number of threads for a machine with this many cores. Threads wait for disks rather than compute. */
export function threadsFor(cores: number): number {
  return Math.min(MOST, Math.max(8, 2 * cores));
}

/** Returns libuv's number of threads. @param size UV_THREADPOOL_SIZE; libuv takes a text that is no number for 1 */
export function threadsOf(size: string | undefined): number {
  if (size === undefined) return NODE_DEFAULT;
  return Math.max(1, Number.parseInt(size, 10) || 1);
}

/** Shares threads out: of eight, three are for sendfile and two for syncs; of Node's default of four, one each. */
export function shareThreads(threads: number): ThreadShares {
  return {
    sendfiles: Math.max(1, Math.floor((threads * 3) / 8)),
    syncs: Math.max(1, Math.floor(threads / 4)),
  };
}
