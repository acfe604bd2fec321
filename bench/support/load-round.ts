import type { Metric } from './bench.ts';
import type { Round } from './paired.ts';
import { usageOf } from './proc.ts';
import type { Contestant } from './server.ts';
import { wrk, type Load } from './wrk.ts';

/** The metrics that `loadRound` returns. */
export const LOAD_METRICS: Readonly<Record<string, Metric>> = {
  'requests/s': { unit: 'requests/s', better: 'more' },
  // On a busy machine, this is the first metric to show a difference between two versions.
  CPU: { unit: 'µs/request', better: 'less' },
  p99: { unit: 'ms', better: 'less', isInformation: true },
};

export async function loadRound({ pid, url, authorization }: Contestant, load: Load): Promise<Round> {
  const before = await usageOf(pid);
  const { requests, requestsPerSecond, p99Ms } = await wrk(url, { authorization, ...load });
  const { cpuSeconds } = await usageOf(pid);
  return {
    'requests/s': requestsPerSecond,
    CPU: (1e6 * (cpuSeconds - before.cpuSeconds)) / requests,
    p99: p99Ms,
  };
}
