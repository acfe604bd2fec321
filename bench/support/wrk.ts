import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BenchContext } from './bench.ts';
import { run } from './process.ts';
import type { Contestant } from './server.ts';

export interface Load {
  readonly connections: number;
  readonly seconds: number;
  /** Paths that each connection asks for in turn. */
  readonly paths: readonly string[];
  /** The header Authorization. Absent: none is sent. */
  readonly authorization?: string | undefined;
  /** How long each connection waits before it asks again, on average. Absent: it asks at once. */
  readonly pauseMs?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Bytes received, including headers. */
  readonly bytes: number;
  readonly latencies: readonly Latency[];
  readonly p99Ms: number;
}

/** A latency in microseconds, and the number of answers that had it. */
export type Latency = readonly [microseconds: number, answers: number];

/** The document that wrk.lua prints. */
interface WrkReport {
  readonly requests: number;
  readonly bytes: number;
  readonly microseconds: number;
  readonly failed: number;
  readonly latencies: readonly Latency[];
}

const SCRIPT = join(import.meta.dirname, 'wrk.lua');

/** The Accept of real registry clients. */
export const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** Runs one thread of wrk as a closed loop: each connection asks again only when its answer is there. */
export async function wrk(
  url: string,
  { connections, seconds, paths, authorization, pauseMs }: Load,
): Promise<LoadResult> {
  const load = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s'];
  const headers = [
    `Accept: ${ACCEPT}`,
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
  ];
  const pause = pauseMs === undefined ? [] : [`pause=${pauseMs}`];
  const script = ['-s', SCRIPT, url, '--', ...pause, ...paths];
  return parseWrk(await run('wrk', [...load, ...headers.flatMap((header) => ['-H', header]), ...script]));
}

/** Runs load, second by second, until `running` is over. */
export async function latenciesWhile(
  url: string,
  load: Omit<Load, 'seconds'>,
  running: Promise<unknown>,
): Promise<readonly Latency[]> {
  const over = running.then(
    () => true,
    () => true,
  );
  const latencies: Latency[] = [];
  for (;;) {
    latencies.push(...(await wrk(url, { ...load, seconds: 1 })).latencies);
    if (await Promise.race([over, nextTurn(false)])) return latencies;
  }
}

/** Runs a second of load on each server, so that just-in-time compilation is no part of the measurement. */
export async function warmUp(
  { scale }: BenchContext,
  contestants: readonly Contestant[],
  load: Omit<Load, 'seconds'>,
): Promise<void> {
  if (scale === 'smoke') return;
  for (const { url, authorization } of contestants) await wrk(url, { ...load, authorization, seconds: 1 });
}

/** Parses the line of JSON that wrk.lua prints. @throws Error if it is missing, or an answer was unexpected */
export function parseWrk(output: string): LoadResult {
  const line = output.split('\n').findLast((line) => line.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const report = JSON.parse(line) as WrkReport;
  if (report.failed > 0) throw new Error(`${report.failed} of ${report.requests} requests failed`);
  return {
    requests: report.requests,
    requestsPerSecond: report.requests / (report.microseconds / 1e6),
    bytes: report.bytes,
    latencies: report.latencies,
    p99Ms: p99Of(report.latencies),
  };
}

/** Returns the answer time that one answer in a hundred exceeds, over all; milliseconds. */
export function p99Of(latencies: readonly Latency[]): number {
  return timeOf(latencies, 0.99);
}

/** Returns the answer time that half of the answers exceed, over all; milliseconds. */
export function p50Of(latencies: readonly Latency[]): number {
  return timeOf(latencies, 0.5);
}

/** Returns the answer time that this share (0 to 1) of the answers does not exceed; milliseconds. */
function timeOf(latencies: readonly Latency[], share: number): number {
  const ascending = latencies.toSorted(([a], [b]) => a - b);
  const all = latencies.reduce((sum, [, count]) => sum + count, 0);
  let counted = 0;
  const found = ascending.find(([, count]) => (counted += count) >= share * all);
  return (found?.[0] ?? Number.NaN) / 1000;
}

/** Returns the longest answer time, milliseconds. */
export function longestOf(latencies: readonly Latency[]): number {
  return Math.max(...latencies.map(([microseconds]) => microseconds)) / 1000;
}
