import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
  readonly latencies: readonly Latency[];
  readonly p99Ms: number;
}

/** Microseconds, and how many answers took as long. */
export type Latency = readonly [microseconds: number, answers: number];

/** What wrk.lua prints. */
interface Told {
  readonly requests: number;
  readonly bytes: number;
  readonly microseconds: number;
  readonly failed: number;
  readonly latencies: readonly Latency[];
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

/** Load, second by second, until something else is over. @returns its p99, milliseconds */
export async function p99While(
  url: string,
  load: Omit<Load, 'seconds'>,
  other: Promise<unknown>,
): Promise<number> {
  return p99Of(await latenciesWhile(url, load, other));
}

/** Load, second by second, until something else is over. */
export async function latenciesWhile(
  url: string,
  load: Omit<Load, 'seconds'>,
  other: Promise<unknown>,
): Promise<readonly Latency[]> {
  const over = other.then(
    () => true,
    () => true,
  );
  const latencies: Latency[] = [];
  for (;;) {
    latencies.push(...(await wrk(url, { ...load, seconds: 1 })).latencies);
    if (await Promise.race([over, nextTurn(false)])) return latencies;
  }
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
  const told = JSON.parse(line) as Told;
  if (told.failed > 0) throw new Error(`${told.failed} of ${told.requests} requests failed`);
  return {
    requests: told.requests,
    requestsPerSecond: told.requests / (told.microseconds / 1e6),
    bytes: told.bytes,
    latencies: told.latencies,
    p99Ms: p99Of(told.latencies),
  };
}

/** The answer times of all together, of which one in a hundred was longer; milliseconds. */
export function p99Of(latencies: readonly Latency[]): number {
  const ascending = latencies.toSorted(([a], [b]) => a - b);
  const all = latencies.reduce((sum, [, count]) => sum + count, 0);
  let counted = 0;
  const found = ascending.find(([, count]) => (counted += count) >= 0.99 * all);
  return (found?.[0] ?? Number.NaN) / 1000;
}

/** The longest answer time of all, milliseconds. */
export function longestOf(latencies: readonly Latency[]): number {
  return Math.max(...latencies.map(([microseconds]) => microseconds)) / 1000;
}
