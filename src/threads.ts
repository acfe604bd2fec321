/**
 * Node's own threads, in which files are opened, read, written and synced and names are looked up, and how they are
 * shared out: everything that may hold many of them for as long as a disk takes is counted here.
 */
export interface ThreadShares {
  /** Calls of sendfile(2) at once. Each reads up to 8 MiB from the disk. */
  readonly sendfiles: number;
  /** Syncs at once, of files and of directories. */
  readonly syncs: number;
  // The rest is for who opens, reads and writes files and looks names up meanwhile: more than a third.
}

/** What Node has unless it is told otherwise. */
const NODE_DEFAULT = 4;

/** libuv's own bound is 1024, but each takes memory, and disks have queues of some 32. */
const MOST = 32;

/** How many threads a machine of so many cores is to have. They wait for disks rather than compute. */
export function threadsFor(cores: number): number {
  return Math.min(MOST, Math.max(8, 2 * cores));
}

/** @param size UV_THREADPOOL_SIZE; libuv takes what is no number for 1 */
export function threadsOf(size: string | undefined): number {
  if (size === undefined) return NODE_DEFAULT;
  return Math.max(1, Number.parseInt(size, 10) || 1);
}

/** Of eight threads three are for sendfile and two for syncs; of Node's four one each. */
export function shareThreads(threads: number): ThreadShares {
  return {
    sendfiles: Math.max(1, Math.floor((threads * 3) / 8)),
    syncs: Math.max(1, Math.floor(threads / 4)),
  };
}
