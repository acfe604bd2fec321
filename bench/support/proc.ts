import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** The resources that a process and its children use. */
export interface Usage {
  /** Seconds on a CPU since it started, in the program and in the kernel, of all its threads. */
  readonly cpuSeconds: number;
  /** Memory that is resident now, in bytes. */
  readonly residentBytes: number;
}

/** The unit of times in /proc: the kernel's USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Reads the usage of a process and its children. @throws Error if the process has ended */
export async function usageOf(pid: number): Promise<Usage> {
  const each = await Promise.all((await withChildren(pid)).map(usageOfOne));
  return {
    cpuSeconds: each.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    residentBytes: each.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
  };
}

/** A process at rest uses less than a tick in this time. */
const REST_MS = 150;
const MAX_LOOKS = 40;

/**
 * Reads the usage of a process once it works no more: some caches go on storing after their clients have everything.
 * One that never rests is read after some seconds.
 */
export async function usageAtRest(pid: number): Promise<Usage> {
  let usage = await usageOf(pid);
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    await wait(REST_MS);
    const { cpuSeconds } = usage;
    usage = await usageOf(pid);
    if (usage.cpuSeconds - cpuSeconds < 1.5 / TICKS_PER_SECOND) break;
  }
  return usage;
}

async function usageOfOne(pid: number): Promise<Usage> {
  const stat = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return { cpuSeconds: stat.ticks / TICKS_PER_SECOND, residentBytes: parseResident(status) };
}

/** nginx works in child processes, which live as long as it does, so none ends uncounted. */
async function withChildren(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map(async (thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').map(Number)).filter((child) => child > 0);
  const below = await Promise.all(children.map(withChildren));
  return [pid, ...below.flat()];
}

/** Parses /proc/PID/stat (proc(5)): the name is in brackets and may hold anything, brackets and spaces too. */
export function parseStat(line: string): { readonly ticks: number } {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15 of the line; two fields are before the closing bracket.
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`not a line of /proc/PID/stat: ${line.slice(0, 100)}`);
  return { ticks };
}

/** Returns VmRSS of /proc/PID/status, in bytes. */
export function parseResident(status: string): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error('no VmRSS in /proc/PID/status');
  return Number(kibibytes) * 1024;
}

/** Returns the bytes that a process has written since it started, to sockets too. @throws Error if it has ended */
export async function sentBytes(pid: number): Promise<number> {
  return parseWritten(await readFile(`/proc/${pid}/io`, 'utf8'));
}

/** Returns wchar of /proc/PID/io: the bytes of write(2) and sendfile(2). */
export function parseWritten(io: string): number {
  const written = /^wchar: (\d+)$/m.exec(io)?.[1];
  if (written === undefined) throw new Error('no wchar in /proc/PID/io');
  return Number(written);
}
