/**
 * dockerd with graph drivers and `registry-mirrors`: a ping first, no `ns`, Accept in lines of a random order,
 * and a resume that takes nothing but what it expects.
 */
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  readThenLeave,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';
import { readAnswer } from '../../support/http-get.ts';
import { chunked, stallAfter, withHeaders, type Fault } from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;

/** Registered in a map of Go, and so in another order with every request. */
const ACCEPT = [
  MediaType.dockerSchema1Signed,
  'application/json',
  MediaType.dockerManifest,
  MediaType.dockerList,
  MediaType.ociManifest,
  MediaType.ociIndex,
];

const USER_AGENT =
  'docker/27.5.1 go/go1.22.11 git-commit/4c9b3b0 kernel/6.1.0-30-amd64 os/linux arch/amd64 ' +
  'UpstreamClient(Docker-Client/27.5.1 \\(linux\\))';

function dockerdOf(world: ClientWorld, connections = 1): WireClient {
  return world.client({ 'user-agent': USER_AGENT, 'accept-encoding': 'gzip' }, connections);
}

describe.each(['', '/docker.io'])('with the mirror at http://mirror%s', (base) => {
  test('the ping is answered without upstream, and asks for no credentials: dockerd would send those of Docker Hub', async () => {
    await using world = await startClientWorld();
    world.hub.down();
    const answer = await dockerdOf(world).get(`${base}/v2/`);
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('www-authenticate');
    expect(world.hub.requests).toEqual([]);
  });

  test('a pull is a ping, HEAD by tag, and GETs by digest over the same connection', async () => {
    await using world = await startClientWorld();
    const dockerd = dockerdOf(world);
    const child = world.hub.putImage('library/debian', undefined, { layers: [randomBytes(10_000)] });
    const index = world.hub.putIndex('library/debian', '12', [
      { ...child.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    const repository = `${base}/v2/library/debian`;
    await dockerd.get(`${base}/v2/`);
    const head = await dockerd.head(`${repository}/manifests/12`, { accept: ACCEPT });
    expect(head.headers['docker-content-digest']).toBe(index.digest);
    for (const { descriptor } of [index, child]) {
      const answer = await dockerd.get(`${repository}/manifests/${descriptor.digest}`, { accept: ACCEPT });
      expect(identityOf(answer)).toEqual(wholeOf(descriptor));
      // What is not a type that dockerd knows ends the pull, without a fallback.
      expect(answer.headers['content-type']).toBe(descriptor.mediaType);
    }
    for (const descriptor of [child.config, ...child.layers]) {
      const answer = await dockerd.get(`${repository}/blobs/${descriptor.digest}`);
      expect(identityOf(answer)).toEqual(wholeOf(descriptor));
    }
    expect(dockerd.connections).toBe(1);
    expect(world.hub.requests).toHaveLength(5);
  });
});

describe('HEAD of a tag', () => {
  test('means the same in whatever order its Accept lines come: an index stays an index', async () => {
    await using world = await startClientWorld();
    const child = world.hub.putImage('library/debian', undefined);
    const index = world.hub.putIndex('library/debian', '12', [
      { ...child.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    const dockerd = dockerdOf(world);
    const anyOrder = fc.shuffledSubarray(ACCEPT, { minLength: ACCEPT.length });
    await fc.assert(
      fc.asyncProperty(anyOrder, async (accept) => {
        const { headers } = await dockerd.head('/v2/library/debian/manifests/12', { accept });
        expect(headers).toMatchObject({
          'docker-content-digest': index.digest,
          'content-type': MediaType.ociIndex,
          'content-length': String(index.bytes.length),
        });
      }),
      { numRuns: 30 },
    );
  });

  // Without a digest dockerd asks once more, by GET, which counts as a pull on Docker Hub; with a digest but
  // without a length or a type it leaves the mirror.
  test.each<[string, Fault]>([
    ['digest', withHeaders({ 'docker-content-digest': undefined })],
    ['digest that can be read', withHeaders({ 'docker-content-digest': 'sha256:none' })],
    ['length', chunked()],
    ['type', withHeaders({ 'content-type': undefined })],
    ['type of a manifest', withHeaders({ 'content-type': 'application/octet-stream' })],
    ['bare type', withHeaders({ 'content-type': `${MediaType.ociManifest}; charset=utf-8` })],
  ])('has digest, length and type where upstream’s has no %s', async (_, fault) => {
    await using world = await startClientWorld();
    const image = world.hub.putImage('library/debian', '12');
    world.hub.fault({ kind: 'manifest', method: 'HEAD' }, fault);
    const answer = await dockerdOf(world).head('/v2/library/debian/manifests/12', { accept: ACCEPT });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'docker-content-digest': image.digest,
      'content-type': MediaType.ociManifest,
      'content-length': String(image.bytes.length),
    });
  });

  test('that does not exist is followed by GET of it: upstream is asked once for both', async () => {
    await using world = await startClientWorld();
    world.hub.putImage('library/debian', '12');
    const dockerd = dockerdOf(world);
    const path = '/v2/library/debian/manifests/none';
    const head = await dockerd.head(path, { accept: ACCEPT });
    expect([head.status, head.body.length]).toEqual([404, 0]);
    const answer = await dockerd.get(path, { accept: ACCEPT });
    expect(answer.status).toBe(404);
    // The list of errors is what tells dockerd that a registry has spoken, and to go on to Docker Hub.
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    expect(dockerd.connections).toBe(1);
    expect(requestsOf(world.hub)).toEqual([
      'HEAD /v2/library/debian/manifests/none',
      // Only the document that GET brings is the registry's word.
      'GET /v2/library/debian/manifests/none',
    ]);
  });
});

describe('the resume of a layer whose connection broke', () => {
  /** Takes the layer in pieces, as if the connection broke after each: 5 attempts are what dockerd makes. */
  async function pullWithBreaks(world: ClientWorld, path: string, size: number): Promise<Buffer> {
    const dockerd = dockerdOf(world);
    const pieces = [await readThenLeave(await dockerd.open(path), MiB)];
    for (let offset = MiB; offset < size; offset += pieces.at(-1)?.length ?? 0) {
      const incoming = await dockerd.open(path, { range: `bytes=${offset}-` });
      expect(incoming.statusCode).toBe(206);
      const [, start, end, total] =
        /^bytes (\d+)-(\d+)\/(\d+)$/.exec(incoming.headers['content-range'] ?? '') ?? [];
      expect([Number(start), Number(end) + 1, Number(total)]).toEqual([offset, size, size]);
      expect(incoming.headers['content-length']).toBe(String(size - offset));
      const isLast = pieces.length === 4;
      pieces.push(
        isLast ? (await readAnswer(incoming)).body : await readThenLeave(incoming, MiB + pieces.length),
      );
    }
    expect(pieces).toHaveLength(5);
    return Buffer.concat(pieces);
  }

  test('is 206 up to the last byte, at every offset, and upstream sends the layer once', async () => {
    await using world = await startClientWorld();
    const content = randomBytes(5 * MiB);
    const { digest } = world.hub.putBlob('library/debian', content);
    const path = `/v2/library/debian/blobs/${digest}`;
    expect(digestOf(await pullWithBreaks(world, path, content.length))).toBe(digest);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(digestOf(await pullWithBreaks(world, path, content.length))).toBe(digest);
    expect(requestsOf(world.hub)).toEqual([`GET ${path}`]);
  });

  test('beyond what has come from upstream is 206 at once, and its bytes follow', async () => {
    await using world = await startClientWorld();
    const content = randomBytes(3 * MiB);
    const { digest } = world.hub.putBlob('library/debian', content);
    const stalled = stallAfter(MiB);
    world.hub.fault({ kind: 'blob' }, stalled);
    const dockerd = dockerdOf(world, 2);
    const path = `/v2/library/debian/blobs/${digest}`;
    const broken = await dockerd.open(path);
    await stalled.reached;
    broken.destroy();
    const resumed = await dockerd.open(path, { range: `bytes=${2 * MiB}-` });
    expect(resumed.statusCode).toBe(206);
    stalled.release();
    expect((await readAnswer(resumed)).body.equals(content.subarray(2 * MiB))).toBe(true);
    expect(world.hub.requests).toHaveLength(1);
  });
});
