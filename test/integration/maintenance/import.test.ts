/** What an operator imports is served as if it had been pulled. */
import { describe, expect, test } from 'vitest';
import { UploadError } from '../../../src/archive/upload/upload-error.ts';
import { OperatorError } from '../../../src/operator/error.ts';
import { CONFIG_BLOB, IMAGE, LAYERS, WHOLE, layoutIndex, FILES } from '../../support/bundle-world.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import { inPieces, tarOf, type TarFile } from '../../support/tar.ts';

const PRINT = 'f'.repeat(64);
const CONTEXT = { signal: new AbortController().signal, report: () => {} };

async function upload({ imports }: MirrorFixture, files: readonly TarFile[] = WHOLE): Promise<string> {
  const bytes = tarOf(files);
  const { id } = await imports.open(bytes.length, PRINT);
  await imports.write(id, 0, inPieces(bytes));
  return id;
}

async function start(options: Partial<MirrorFixtureOptions> = {}) {
  const registry = await startFakeRegistry();
  const hub = {
    name: 'docker.io',
    registry,
    addLibrary: true,
    hosts: ['hub.test'],
    tags: { isImmutable: () => true },
  };
  const mirror = await startMirror({ upstreams: [hub, { name: 'ghcr.io', registry }], ...options });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

describe('an imported image', () => {
  test.each([
    ['the default upstream', '', {}, ''],
    ['ns', '', {}, '?ns=docker.io'],
    ['Host', '', { host: 'hub.test' }, ''],
    ['the path', 'docker.io/', {}, ''],
  ])('is served through %s without a question to upstream', async (_, prefix, headers, query) => {
    await using world = await start();
    const { mirror, registry } = world;
    const { refused } = await mirror.imports.importUpload(await upload(mirror), {}, CONTEXT);
    expect(refused).toEqual([]);
    registry.down();
    const name = `/v2/${prefix}library/debian`;
    for (const reference of ['12', IMAGE.digest]) {
      const { status, headers: answered } = await mirror.get(`${name}/manifests/${reference}${query}`, {
        headers,
      });
      expect([status, answered['docker-content-digest']]).toEqual([200, IMAGE.digest]);
    }
    for (const { digest, file } of [CONFIG_BLOB, ...LAYERS]) {
      const { status, body } = await mirror.get(`${name}/blobs/${digest}${query}`, { headers });
      expect([status, body.toString()]).toEqual([200, file.bytes]);
    }
    expect(registry.requests).toEqual([]);
    const { body } = await mirror.get(`${name}/tags/list${query}`, { headers });
    expect(JSON.parse(body.toString())).toMatchObject({ tags: ['12'] });
  });

  test('is served through the prefix before /v2/', async () => {
    await using world = await start();
    const { mirror } = world;
    await mirror.imports.importUpload(await upload(mirror), {}, CONTEXT);
    expect((await mirror.get('/docker.io/v2/library/debian/manifests/12')).status).toBe(200);
  });

  test('is served through no other repository', async () => {
    await using world = await start();
    const { mirror } = world;
    await mirror.imports.importUpload(await upload(mirror), {}, CONTEXT);
    const [layer] = LAYERS;
    for (const other of ['ghcr.io/library/debian', 'docker.io/library/alpine']) {
      expect((await mirror.get(`/v2/${other}/blobs/${layer?.digest}`)).status).toBe(404);
      expect((await mirror.get(`/v2/${other}/manifests/${IMAGE.digest}`)).status).toBe(404);
    }
  });

  test('is served at once, although upstream has just refused it', async () => {
    await using world = await start({ negativeTtlMs: 60_000 });
    const { mirror } = world;
    const paths = [`manifests/12`, `manifests/${IMAGE.digest}`, `blobs/${CONFIG_BLOB.digest}`];
    const statuses = async (): Promise<readonly number[]> => {
      const got: number[] = [];
      for (const path of paths) got.push((await mirror.get(`/v2/library/debian/${path}`)).status);
      return got;
    };
    expect(await statuses()).toEqual([404, 404, 404]);
    await mirror.imports.importUpload(await upload(mirror), {}, CONTEXT);
    expect(await statuses()).toEqual([200, 200, 200]);
  });

  test('takes the names that operators use', async () => {
    await using world = await start();
    const { mirror } = world;
    const id = await upload(mirror, [...FILES, layoutIndex([[IMAGE, '12']])]);
    const { images } = await mirror.imports.importUpload(id, { as: 'debian' }, CONTEXT);
    expect(images).toMatchObject([{ name: 'docker.io/library/debian:12' }]);
  });
});

describe('an upload', () => {
  test('ends when it is imported or refused, and stays if that was interrupted', async () => {
    await using world = await start();
    const { imports } = world.mirror;
    const aborted = { ...CONTEXT, signal: AbortSignal.abort(new Error('stopped')) };
    const id = await upload(world.mirror);
    await expect(imports.importUpload(id, {}, aborted)).rejects.toThrow('stopped');
    await imports.importUpload(id, {}, CONTEXT);
    await expect(imports.upload(id)).rejects.toMatchObject({ code: 'unknown' });
    const broken = await upload(world.mirror, [{ path: '../x' }]);
    const refusal = imports.importUpload(broken, {}, CONTEXT);
    await expect(refusal).rejects.toThrow('the bundle is refused: the path "../x" leads out');
    await expect(imports.upload(broken)).rejects.toBeInstanceOf(OperatorError);
  });

  test.each([
    ['a registry that is not configured', 'quay.io/a/b:1', /serves no quay.io\/a\/b/],
    ['a name that is none', 'docker.io/A:1', /refused: .*A/],
  ])('is refused for %s', async (_, name, reason) => {
    await using world = await start();
    const id = await upload(world.mirror, [...FILES, layoutIndex([[IMAGE, name]])]);
    await expect(world.mirror.imports.importUpload(id, {}, CONTEXT)).rejects.toThrow(reason);
  });

  test('is refused for a registry that is not configured, and is not taken for the default upstream’s', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const id = await upload(mirror, [...FILES, layoutIndex([[IMAGE, 'quay.io/a/b:1']])]);
    const refusal = mirror.imports.importUpload(id, {}, CONTEXT);
    await expect(refusal).rejects.toThrow(/serves no quay\.io\/a\/b /);
  });

  test('tells its failures in an operator’s words', async () => {
    await using world = await start({ marks: { maxSize: 100 } });
    const { imports } = world.mirror;
    const failures = [
      imports.open(0, PRINT),
      imports.open(1_000, PRINT),
      imports.upload('none'),
      imports.abort('none'),
    ].map(async (failing) =>
      failing.catch((error: unknown) => [
        (error as OperatorError).code,
        (error as Error).cause instanceof UploadError,
      ]),
    );
    expect(await Promise.all(failures)).toEqual([
      ['invalid', true],
      ['failed', true],
      ['unknown', true],
      ['unknown', true],
    ]);
  });
});
