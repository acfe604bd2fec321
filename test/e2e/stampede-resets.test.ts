/** 200 clients of one cold blob of 500 MB, from an upstream that breaks off three times. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { comparingClients } from '../support/e2e/comparing-clients.ts';
import type { SeenRequest } from '../support/e2e/counting-proxy.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { incompressible } from '../support/e2e/image.ts';
import { larder } from '../support/e2e/larder.ts';
import { pusher } from '../support/e2e/push.ts';
import { until } from '../support/e2e/until.ts';

const CLIENTS = 200;
const SIZE = 500_000_000;
const MB = 1_000_000;
/** Bytes of each transfer before it is broken off; the fourth one comes to its end. */
const RESETS = [37 * MB, 120_000_001, 250 * MB];
/** What two sockets, two kernels' buffers and the proxy's own stream may hold at a reset. */
const IN_FLIGHT = 16 * MB;

/** The most memory that a process had at once, in bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Where a transfer began. */
function startOf({ headers }: SeenRequest): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')?.[1]);
}

test('upstream sends it once, all get the right bytes, and memory stays low', async () => {
  await using registry = await dockerRegistry();
  const { digest } = await pusher(registry.directUrl, 'team/huge').blob(incompressible(SIZE, 'huge'));
  const hex = digest.slice('sha256:'.length);
  const file = join(registry.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  await using mirror = await larder({ upstreams: { 'registry.example.test': { url: registry.url } } });
  const allHaveAsked = Promise.withResolvers<void>();
  const resets = [...RESETS];
  registry.proxy.spoil(() => ({ gate: allHaveAsked.promise, resetAfter: resets.shift() }));

  const startedAt = performance.now();
  const url = `${mirror.url}/v2/registry.example.test/team/huge/blobs/${digest}`;
  await using clients = await comparingClients({ url, file, count: CLIENTS });
  await until('the blob is asked for', () => (registry.proxy.requests.length > 0 ? true : undefined));
  allHaveAsked.resolve();
  const compared = await clients.done;
  const seconds = (performance.now() - startedAt) / 1000;
  const memory = await peakMemory(mirror.process.pid);

  const transfers = registry.proxy.requests;
  const lost = transfers.slice(1).map((next, i) => {
    const broken = transfers[i];
    return broken === undefined ? Number.NaN : startOf(broken) + broken.bytes - startOf(next);
  });
  const sent = transfers.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(
    `Larder: ${CLIENTS} clients, ${RESETS.length} resets, ${(sent / SIZE).toFixed(4)} × the blob from upstream, ` +
      `${Math.round(memory / 1024 ** 2)} MiB of memory at most, ${seconds.toFixed(1)} s`,
  );
  expect(compared.filter(({ isRight, status }) => isRight && status === 200)).toHaveLength(CLIENTS);
  expect(compared.filter(({ cacheStatus }) => cacheStatus.includes('collapsed'))).toHaveLength(CLIENTS - 1);
  expect(transfers).toHaveLength(RESETS.length + 1);
  // Once, and again what was lost on the way: no transfer begins before what the last one had brought.
  expect(sent).toBe(SIZE + lost.reduce((sum, bytes) => sum + bytes, 0));
  expect(Math.min(...lost)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...lost)).toBeLessThan(IN_FLIGHT);
  expect(memory).toBeLessThan(300 * MB);
});
