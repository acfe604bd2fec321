import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { longBody, shortBody, wrongByte, type Deformation } from '../support/e2e/fault.ts';
import { ask } from '../support/e2e/http-client.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { until } from '../support/e2e/until.ts';
import { contentRequests } from '../support/e2e/upstream-requests.ts';

const { app, storage } = inject('stock');
const [layer] = app.layers.map((each) => each.descriptor);
if (layer === undefined) throw new Error('the image has a layer');

const faults: readonly (readonly [string, Deformation])[] = [
  ['a wrong byte', wrongByte],
  ['a short body', shortBody()],
  ['a short body without a length', shortBody(false)],
  ['a long body', longBody()],
  ['a long body without a length', longBody(false)],
];

function storedFile(mirror: Larder, digest: string): string {
  return join(mirror.cacheDirectory, 'blobs/sha256', digest.slice('sha256:'.length));
}

async function start(registryUrl: string): Promise<Larder> {
  return larder({ negativeTtl: '0s', upstreams: { 'registry.example.test': { url: registryUrl } } });
}

describe.each(faults)('upstream sends %s', (_, deform) => {
  test('of a blob: no client gets a whole answer, nothing is kept, the next pull works', async () => {
    await using registry = await dockerRegistry({ stock: storage });
    await using mirror = await start(registry.url);
    const repository = `${mirror.url}/v2/registry.example.test/team/app`;
    await ask(`${repository}/manifests/1`);
    registry.proxy.spoil((request) => (request.kind === 'blob' ? { deform } : undefined));

    const answers = await Promise.all(
      Array.from({ length: 4 }, async () => ask(`${repository}/blobs/${layer.digest}`)),
    );

    for (const answer of answers) expect(answer.status === 200 && answer.complete).toBe(false);
    // Where no answer told the size, Larder tries once more by itself: what has begun by now is as wrong.
    await mirror.idle();
    expect(existsSync(storedFile(mirror, layer.digest))).toBe(false);
    registry.proxy.heal();
    const healed = await ask(`${repository}/blobs/${layer.digest}`);
    expect(healed).toMatchObject({ status: 200, complete: true, digest: layer.digest });
    await until('nothing is left half-written', async () =>
      (await readdir(join(mirror.cacheDirectory, 'ingest'))).length === 0 ? true : undefined,
    );
  });

  test('of a blob that no manifest told the size of', async () => {
    await using registry = await dockerRegistry({ stock: storage });
    await using mirror = await start(registry.url);
    const blob = `${mirror.url}/v2/registry.example.test/team/app/blobs/${layer.digest}`;
    registry.proxy.spoil((request) => (request.kind === 'blob' ? { deform } : undefined));

    const answer = await ask(blob);

    expect(answer.status === 200 && answer.complete).toBe(false);
    expect(existsSync(storedFile(mirror, layer.digest))).toBe(false);
    registry.proxy.heal();
    expect(await ask(blob)).toMatchObject({ status: 200, complete: true, digest: layer.digest });
  });

  test('of a manifest: the client gets an error, nothing is kept, the next pull works', async () => {
    await using registry = await dockerRegistry({ stock: storage });
    await using mirror = await start(registry.url);
    const manifest = `${mirror.url}/v2/registry.example.test/team/app/manifests/${app.manifest.digest}`;
    registry.proxy.spoil((request) => (request.kind === 'manifest' ? { deform } : undefined));

    const answer = await ask(manifest);

    expect(answer.status).toBe(502);
    expect(existsSync(storedFile(mirror, app.manifest.digest))).toBe(false);
    registry.proxy.heal();
    expect(await ask(manifest)).toMatchObject({ status: 200, digest: app.manifest.digest });
  });
});

test('an upstream that breaks in the middle is asked for the rest, and the client sees nothing of it', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using mirror = await start(registry.url);
  const repository = `${mirror.url}/v2/registry.example.test/team/app`;
  await ask(`${repository}/manifests/1`);
  registry.proxy.clear();
  const half = Math.floor(layer.size / 2);
  registry.proxy.spoil((request) =>
    request.kind === 'blob' && request.headers.range === undefined ? { cutAfter: half } : undefined,
  );

  const answer = await ask(`${repository}/blobs/${layer.digest}`);

  expect(answer).toMatchObject({ status: 200, complete: true, digest: layer.digest });
  const [first, second, again = second, ...more] = contentRequests(registry.proxy.requests);
  // One that is cut on a kept connection before its headers have arrived is sent again, as it is.
  expect([first, second, again]).toEqual(Array.from({ length: 3 }, () => `GET blob ${layer.digest}`));
  expect(more).toEqual([]);
  const resumed = registry.proxy.requests.at(-1);
  expect(resumed?.headers.range).toMatch(/^bytes=\d+-$/);
  expect(resumed?.bytes).toBeLessThan(layer.size);
});

test('bytes that failed verification are set aside, not served and not lost', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using mirror = await start(registry.url);
  const repository = `${mirror.url}/v2/registry.example.test/team/app`;
  await ask(`${repository}/manifests/1`);
  registry.proxy.spoil((request) => (request.kind === 'blob' ? { deform: wrongByte } : undefined));

  await ask(`${repository}/blobs/${layer.digest}`);

  await until('the bytes are in quarantine', async () =>
    (await readdir(join(mirror.cacheDirectory, 'quarantine'))).length > 0 ? true : undefined,
  );
});
