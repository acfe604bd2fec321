import { once } from 'node:events';
import { Agent } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { get, open } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { Random } from '../../support/random.ts';

const REQUESTS = 10_000;
const CLIENTS = 12;
const REPOSITORY = 'acme/app';
const SEED = Number(process.env['LARDER_SEED'] ?? 1);
/** Around the sizes at which bodies go other ways: one piece, chunks, the kernel. */
const SIZES = [1, 17, 4096, 65_535, 65_536, 65_537, 131_072, 200_000, 262_145, 500_000, 1_000_003, 3_000_017];

type Deed = (client: Client, digest: Digest, bytes: Buffer) => Promise<void>;

interface Client {
  readonly mirror: MirrorFixture;
  readonly random: Random;
  readonly agent: Agent;
}

const pathOf = (digest: Digest): string => `/v2/${REPOSITORY}/blobs/${digest}`;

async function whole({ mirror, agent }: Client, digest: Digest): Promise<void> {
  const { status, body, complete } = await get(mirror.url, pathOf(digest), { agent });
  expect([status, complete, digestOf(body)]).toEqual([200, true, digest]);
}

async function part({ mirror, random, agent }: Client, digest: Digest, bytes: Buffer): Promise<void> {
  const start = random.between(0, bytes.length - 1);
  const end = random.between(start + 1, bytes.length);
  const headers = { range: `bytes=${start}-${end - 1}` };
  const { status, body } = await get(mirror.url, pathOf(digest), { agent, headers });
  expect([status, body.equals(bytes.subarray(start, end))]).toEqual([206, true]);
}

async function head({ mirror, agent }: Client, digest: Digest, bytes: Buffer): Promise<void> {
  const { headers, body } = await get(mirror.url, pathOf(digest), { agent, method: 'HEAD' });
  expect([headers['content-length'], body.length]).toEqual([String(bytes.length), 0]);
}

/** Leaves once it has a certain byte. */
async function leave({ mirror, random }: Client, digest: Digest, bytes: Buffer): Promise<void> {
  const incoming = await open(mirror.url, pathOf(digest));
  const enough = random.between(0, bytes.length - 1);
  let received = 0;
  while (received < enough) {
    const [chunk] = (await once(incoming, 'data')) as [Buffer];
    expect(bytes.subarray(received, received + chunk.length).equals(chunk)).toBe(true);
    received += chunk.length;
  }
  incoming.destroy();
}

/** Lets the connection fill up again and again. */
async function dawdle({ mirror, random, agent }: Client, digest: Digest): Promise<void> {
  const incoming = await open(mirror.url, pathOf(digest), { agent });
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    chunks.push(chunk as Buffer);
    for (let turns = random.between(0, 5); turns > 0; turns -= 1) await setImmediate();
  }
  expect(digestOf(Buffer.concat(chunks))).toBe(digest);
}

/** The blob's file goes while others may be reading it; whoever asks next has it fetched anew. */
async function lose({ mirror }: Client, digest: Digest): Promise<void> {
  await mirror.store.delete(digest);
}

const DEEDS: readonly (readonly [number, Deed])[] = [
  [55, whole],
  [20, part],
  [5, head],
  [11, leave],
  [7, dawdle],
  [2, lose],
];

function pickDeed(random: Random): Deed {
  let left = random.between(1, 100);
  const found = DEEDS.find(([share]) => (left -= share) <= 0);
  if (found === undefined) throw new Error('the shares are a hundred in all');
  return found[1];
}

test(`${REQUESTS} mixed requests: every byte is right`, { timeout: 180_000 }, async () => {
  const random = new Random(SEED);
  await using registry = await startFakeRegistry();
  const blobs = SIZES.map((size) => random.bytes(size));
  registry.putImage(REPOSITORY, 'latest', { layers: blobs });
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  await get(mirror.url, `/v2/${REPOSITORY}/manifests/latest`);
  const contents = blobs.map((bytes) => ({ bytes, digest: digestOf(bytes) }));
  let left = REQUESTS;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const client = { mirror, agent, random: new Random(SEED + index + 1) };
      while ((left -= 1) >= 0) {
        const { bytes, digest } = client.random.pick(contents);
        await pickDeed(client.random)(client, digest, bytes);
      }
      agent.destroy();
    }),
  );
  const wrong = mirror.events.filter(
    ({ kind }) => kind === 'blob-quarantined' || kind === 'verification-failed',
  );
  expect(wrong).toEqual([]);
});
