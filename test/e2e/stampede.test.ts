import { readFile } from 'node:fs/promises';
import { expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { ask, type Answer, type AskOptions } from '../support/e2e/http-client.ts';
import { larder } from '../support/e2e/larder.ts';
import { transfers } from '../support/e2e/upstream-requests.ts';

const { large, storage } = inject('stock');
const [layer] = large.layers.map((each) => each.descriptor);
if (layer === undefined) throw new Error('the large image has a layer');
const CLIENTS = 20;
const MIB = 1024 * 1024;

/** So slow that all clients come while the blob is on its way. */
const UPSTREAM_RATE = 60 * MIB;

interface Stampede {
  /** Those who read as fast as they can. */
  readonly fast: readonly Answer[];
  readonly leaver: Answer;
  readonly slow: Answer;
  /** Bytes that the slow one had when the last of the fast ones was done. */
  readonly slowBytesThen: number;
}

/** 18 clients at full speed, one that leaves at 10 %, one at 1 MB/s until the others are done. */
async function stampede(url: string, size: number): Promise<Stampede> {
  let othersAreDone = false;
  let slowBytes = 0;
  const blob = async (options: AskOptions = {}): Promise<Answer> => ask(url, { ...options, discard: true });
  const slow = blob({
    bytesPerSecond: 1_000_000,
    isSlow: () => !othersAreDone,
    onBytes: (bytes) => (slowBytes = bytes),
  });
  const leaver = blob({ leaveAfter: size / 10 });
  const fast = await Promise.all(Array.from({ length: CLIENTS - 2 }, async () => blob()));
  const slowBytesThen = slowBytes;
  othersAreDone = true;
  return { fast, leaver: await leaver, slow: await slow, slowBytesThen };
}

/** The most memory that a process had at once, in bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

test('20 clients of one cold blob cost upstream one transfer', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using mirror = await larder({ upstreams: { 'registry.example.test': { url: registry.url } } });
  const repository = `${mirror.url}/v2/registry.example.test/team/large`;
  await ask(`${repository}/manifests/1`);
  registry.proxy.clear();
  registry.proxy.spoil(() => ({ bytesPerSecond: UPSTREAM_RATE }));

  const { fast, leaver, slow, slowBytesThen } = await stampede(
    `${repository}/blobs/${layer.digest}`,
    layer.size,
  );

  expect(transfers(registry.proxy.requests)).toEqual({ [layer.digest]: 1 });
  expect(registry.proxy.requests.map((request) => request.bytes)).toEqual([layer.size]);
  expect(fast.map((answer) => answer.digest)).toEqual(fast.map(() => layer.digest));
  expect(leaver.bytes).toBeLessThan(layer.size / 5);
  expect(slowBytesThen, 'the slow client is still reading').toBeLessThan(layer.size / 2);
  expect(slow).toMatchObject({ digest: layer.digest, complete: true });
  const memory = await peakMemory(mirror.process.pid);
  console.log(`Larder: ${CLIENTS} clients, 1 transfer, ${Math.round(memory / MIB)} MiB of memory at most`);
  // A chunk a client, not the blob: far less than what Node itself takes.
  expect(memory).toBeLessThan(400 * MIB);
});
