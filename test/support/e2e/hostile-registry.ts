import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startFakeRegistry, type FakeRegistry } from '../fake-registry.ts';

const KiB = 1024;
const CHUNK = randomBytes(64 * KiB);

/** Bytes that each blob of `slow/` announces. */
const SLOW_BLOB_BYTES = 64 * KiB * KiB;
/** Layers in each manifest of `wide/`: with the config, as many descriptors as Larder takes. */
const WIDE_LAYERS = 3_999;
const MANY_TAGS = 900_000;

/**
 * A registry with some repositories that behave and some that do not, at one address, so that Larder could blame the
 * others for the faults of one:
 *
 * - `slow/*`: blobs of 64 MiB, of which 64 KiB come every tenth of a second
 * - `drip/*`: blobs of the same length, one byte per second
 * - `broken/*`: 500 to every request
 * - `endless/*`: blobs without a length and without an end
 * - `many/*`: a list of 900,000 tags in one page, the numbers to the base of 36
 * - `wide/*`: manifests of 3,999 layers under every tag `0`, `1` …
 *
 * All other requests go to `good`.
 */
export interface HostileRegistry extends AsyncDisposable {
  readonly url: string;
  readonly good: FakeRegistry;
}

export async function hostileRegistry(): Promise<HostileRegistry> {
  await using stack = new AsyncDisposableStack();
  const good = stack.use(await startFakeRegistry());
  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing, good).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const owned = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    good,
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

async function respond(incoming: IncomingMessage, outgoing: ServerResponse, good: FakeRegistry) {
  const [, kind, rest = ''] = /^\/v2\/(\w+)\/(.*)$/.exec(incoming.url ?? '') ?? [];
  switch (kind) {
    case 'slow':
      return trickle(incoming, outgoing, CHUNK, 100);
    case 'drip':
      return trickle(incoming, outgoing, CHUNK.subarray(0, 1), 1_000);
    case 'broken':
      return void outgoing.writeHead(500, { 'content-type': 'text/plain' }).end('out of order');
    case 'endless':
      return pourWithoutEnd(incoming, outgoing);
    case 'many':
      return void outgoing.writeHead(200, { 'content-type': 'application/json' }).end(manyTags());
    case 'wide':
      return wide(incoming, outgoing, rest);
    default:
      return pass(incoming, outgoing, good);
  }
}

async function trickle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  chunk: Uint8Array,
  everyMs: number,
): Promise<void> {
  const [, from] = /^bytes=(\d+)-/.exec(incoming.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const contentRange = `bytes ${start}-${SLOW_BLOB_BYTES - 1}/${SLOW_BLOB_BYTES}`;
  outgoing.writeHead(from === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': SLOW_BLOB_BYTES - start,
    ...(from !== undefined && { 'content-range': contentRange }),
  });
  if (incoming.method === 'HEAD') return void outgoing.end();
  while (!outgoing.destroyed) {
    outgoing.write(chunk);
    await wait(everyMs);
  }
}

async function pourWithoutEnd(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(200, { 'content-type': 'application/octet-stream' });
  if (incoming.method === 'HEAD') return void outgoing.end();
  await pipeline(withoutEnd, outgoing);
}

function* withoutEnd(): Generator<Uint8Array> {
  for (;;) yield CHUNK;
}

let list: string | undefined;

function manyTags(): string {
  list ??= JSON.stringify({
    name: 'many/tags',
    tags: Array.from({ length: MANY_TAGS }, (_, i) => i.toString(36)),
  });
  return list;
}

function wide(incoming: IncomingMessage, outgoing: ServerResponse, path: string): void {
  const reference = path.split('/').at(-1) ?? '';
  const known = reference.includes(':') ? byDigest.get(reference) : wideManifest(reference);
  if (known === undefined) return void outgoing.writeHead(404).end();
  outgoing.writeHead(200, {
    'content-type': MediaType.ociManifest,
    'content-length': known.length,
    'docker-content-digest': digestOf(known),
  });
  outgoing.end(incoming.method === 'HEAD' ? undefined : known);
}

const byDigest = new Map<string, Buffer>();

function wideManifest(tag: string): Buffer {
  const layers = Array.from({ length: WIDE_LAYERS }, (_, i) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(Buffer.from(`${tag}/${i}`)),
    size: 1 + i,
  }));
  const config = { ...layers[0], mediaType: 'application/vnd.oci.image.config.v1+json' };
  const document = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers };
  const bytes = Buffer.from(JSON.stringify(document));
  byDigest.set(digestOf(bytes), bytes);
  return bytes;
}

async function pass(incoming: IncomingMessage, outgoing: ServerResponse, good: FakeRegistry): Promise<void> {
  const { method = 'GET', url = '/', headers } = incoming;
  const passed = request(new URL(url, good.url), { method, headers, agent: false }).end();
  const [response] = (await once(passed, 'response')) as [IncomingMessage];
  outgoing.writeHead(response.statusCode ?? 502, response.headers);
  response.pipe(outgoing);
}
