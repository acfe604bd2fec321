import { join } from 'node:path';
import type { BenchContext } from './bench.ts';
import { run } from './process.ts';
import type { Contestant } from './server.ts';

export interface Load {
  readonly connections: number;
  readonly seconds: number;
  /** Asked for in turn, on each connection. */
  readonly paths: readonly string[];
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Bytes that came, headers too. */
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const SCRIPT = join(import.meta.dirname, 'wrk.lua');

/** What the clients of real registries accept. */
export const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** One thread of wrk, closed loop: each connection asks again as soon as its answer is there. */
export async function wrk(url: string, { connections, seconds, paths }: Load): Promise<LoadResult> {
  const load = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s'];
  const script = ['-H', `Accept: ${ACCEPT}`, '-s', SCRIPT, url, '--', ...paths];
  return parseWrk(await run('wrk', [...load, ...script]));
}

/** A second of load on each: what a just-in-time compiler has to learn first is no part of a warm server's work. */
export async function warmUp(
  { scale }: BenchContext,
  contestants: readonly Contestant[],
  load: Omit<Load, 'seconds'>,
): Promise<void> {
  if (scale === 'smoke') return;
  for (const { url } of contestants) await wrk(url, { ...load, seconds: 1 });
}

/** The line of JSON that wrk.lua prints. @throws Error where it is missing, or an answer was not the expected */
export function parseWrk(output: string): LoadResult {
  const line = output.split('\n').findLast((line) => line.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const told = JSON.parse(line) as Record<
    'requests' | 'bytes' | 'microseconds' | 'failed' | 'p50' | 'p99',
    number
  >;
  if (told.failed > 0) throw new Error(`${told.failed} of ${told.requests} requests failed`);
  return {
    requests: told.requests,
    requestsPerSecond: told.requests / (told.microseconds / 1e6),
    bytes: told.bytes,
    p50Ms: told.p50 / 1000,
    p99Ms: told.p99 / 1000,
  };
}
