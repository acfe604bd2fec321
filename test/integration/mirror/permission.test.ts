import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { migrate } from '../../../src/index/sqlite/migrate.ts';
import { MIGRATIONS } from '../../../src/index/sqlite/schema.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import {
  chunked,
  instead,
  registryError,
  stallAfter,
  status,
  withHeaders,
} from '../../support/scripted-reply.ts';

/** Larger than what is kept in memory: what is refused was opened on the disk, and must not stay so. */
const LAYER = randomBytes(100_000);
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const NON_DISTRIBUTABLE = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** A private image of team/secret is cached; who pushes to team/attack has made a manifest that names parts of it. */
class World implements AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly secret: StoredImage;
  readonly signature: StoredImage;
  mirror: MirrorFixture;
  readonly #options: MirrorFixtureOptions & { readonly directory: string };

  private constructor(
    registry: FakeRegistry,
    images: { secret: StoredImage; signature: StoredImage },
    mirror: MirrorFixture,
    options: MirrorFixtureOptions & { directory: string },
  ) {
    this.registry = registry;
    this.secret = images.secret;
    this.signature = images.signature;
    this.mirror = mirror;
    this.#options = options;
  }

  static async start(more: { isOpen?: boolean; checksReferences?: boolean } = {}): Promise<World> {
    const registry = await startFakeRegistry();
    const secret = registry.putImage('team/secret', '1', { layers: [LAYER] });
    const signature = registry.putImage('team/secret', undefined, {
      layers: [Buffer.from('signed')],
      subject: secret.descriptor,
      artifactType: 'application/x-signature',
    });
    const directory = await mkdtemp(join(tmpdir(), 'larder-test-'));
    const options = { upstreams: [{ name: 'registry.test', registry, ...more }], directory };
    const mirror = await startMirror(options);
    const world = new World(registry, { secret, signature }, mirror, options);
    for (const path of ['manifests/1', `manifests/${signature.digest}`, ...world.blobs]) {
      const { status } = await mirror.get(`/v2/team/secret/${path}`);
      if (status !== 200) throw new Error(`${path} could not be cached: ${status}`);
    }
    return world;
  }

  get layer(): Descriptor {
    return { mediaType: OCI_LAYER, digest: digestOf(LAYER), size: LAYER.length };
  }

  get blobs(): readonly string[] {
    return [this.secret.config, ...this.secret.layers].map(({ digest }) => `blobs/${digest}`);
  }

  /** The attacker's image: its own config, unless told. */
  attack(parts: { config?: object; layers?: readonly object[]; manifests?: readonly object[] }): string {
    const config = this.registry.putBlob('team/attack', Buffer.from('{}'));
    const document =
      parts.manifests === undefined
        ? { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [], ...parts }
        : { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: parts.manifests };
    return this.registry.putManifest('team/attack', 'x', document, document.mediaType).digest;
  }

  async restart(between: () => void | Promise<void> = () => {}): Promise<void> {
    await this.mirror[Symbol.asyncDispose]();
    await between();
    this.mirror = await startMirror(this.#options);
  }

  get database(): string {
    return join(this.#options.directory, 'index.db');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror[Symbol.asyncDispose]();
    await this.registry[Symbol.asyncDispose]();
    await rm(this.#options.directory, { recursive: true });
  }
}

/** Every way to ask for a digest through the attacker's repository, and that none of them gives it. */
async function expectNothing({ mirror, registry }: World, paths: readonly string[]): Promise<void> {
  for (const path of paths.map((each) => `/v2/team/attack/${each}`)) {
    const before = registry.count({ repository: 'team/attack' });
    expect([path, (await mirror.get(path)).status]).toEqual([path, 404]);
    expect(registry.count({ repository: 'team/attack' })).toBeGreaterThan(before);
    expect([path, (await mirror.head(path)).status]).toEqual([path, 404]);
    for (const range of ['bytes=0-9', 'bytes=-10', 'bytes=0-']) {
      expect([path, (await mirror.get(path, { headers: { range } })).status]).toEqual([path, 404]);
    }
    mirror.clock.advance(31_000);
  }
}

describe('who may push one manifest to a repository gains nothing by it', () => {
  type Attack = (world: World) => { readonly reads: readonly string[]; readonly digest: string };
  const attacks: readonly (readonly [string, Attack])[] = [
    [
      'a layer with urls',
      (world) => ({
        digest: world.attack({ layers: [{ ...world.layer, urls: ['https://cdn.example/layer'] }] }),
        reads: [`blobs/${world.layer.digest}`],
      }),
    ],
    [
      'a foreign layer',
      (world) => ({
        digest: world.attack({ layers: [{ ...world.layer, mediaType: FOREIGN }] }),
        reads: [`blobs/${world.layer.digest}`],
      }),
    ],
    [
      'a non-distributable layer',
      (world) => ({
        digest: world.attack({ layers: [{ ...world.layer, mediaType: NON_DISTRIBUTABLE }] }),
        reads: [`blobs/${world.layer.digest}`],
      }),
    ],
    [
      'a plain layer, where the registry does not look',
      (world) => ({
        digest: world.attack({ layers: [world.layer] }),
        reads: [`blobs/${world.layer.digest}`],
      }),
    ],
    [
      'a config',
      (world) => ({
        digest: world.attack({ config: world.secret.config }),
        reads: [`blobs/${world.secret.config.digest}`],
      }),
    ],
    [
      'a manifest as a layer',
      (world) => ({
        digest: world.attack({ layers: [world.secret.descriptor] }),
        reads: [`blobs/${world.secret.digest}`, `manifests/${world.secret.digest}`],
      }),
    ],
    [
      'an index child',
      (world) => ({
        digest: world.attack({ manifests: [world.secret.descriptor] }),
        reads: [`manifests/${world.secret.digest}`, ...world.blobs],
      }),
    ],
    [
      'a layer as an index child',
      (world) => ({
        digest: world.attack({ manifests: [{ ...world.layer, mediaType: MediaType.ociManifest }] }),
        reads: [`manifests/${world.layer.digest}`, `blobs/${world.layer.digest}`],
      }),
    ],
  ];

  test.each(attacks)('%s: by tag', async (_, attack) => {
    await using world = await World.start({ isOpen: true });
    const { reads } = attack(world);
    expect((await world.mirror.get('/v2/team/attack/manifests/x')).status).toBe(200);
    await expectNothing(world, reads);
  });

  test.each(attacks)('%s: by digest, and after a restart', async (_, attack) => {
    await using world = await World.start({ isOpen: true });
    const { reads, digest } = attack(world);
    expect((await world.mirror.get(`/v2/team/attack/manifests/${digest}`)).status).toBe(200);
    await world.restart();
    await expectNothing(world, reads);
  });

  test.each(attacks)('%s: in a cache of the version before', async (_, attack) => {
    await using world = await World.start({ isOpen: true });
    const { reads } = attack(world);
    expect((await world.mirror.get('/v2/team/attack/manifests/x')).status).toBe(200);
    await world.restart(() => downgrade(world.database));
    await expectNothing(world, reads);
    // What it gave stays: with one question each.
    const path = `/v2/team/secret/blobs/${world.layer.digest}`;
    expect((await world.mirror.get(path)).body.equals(LAYER)).toBe(true);
    expect(
      world.registry.count({ method: 'GET', digest: world.layer.digest, repository: 'team/secret' }),
    ).toBe(1);
  });

  test('the linux/amd64 child that Larder chooses', async () => {
    await using world = await World.start({ isOpen: true });
    const platform = { os: 'linux', architecture: 'amd64' };
    world.attack({ manifests: [{ ...world.secret.descriptor, platform }] });
    const asked = { headers: { accept: MediaType.ociManifest } };
    expect((await world.mirror.get('/v2/team/attack/manifests/x', asked)).status).toBe(404);
    expect((await world.mirror.head('/v2/team/attack/manifests/x', asked)).status).toBe(404);
  });

  test('the list of what refers to an image, of the cache while upstream is away', async () => {
    await using world = await World.start({ isOpen: true });
    world.attack({ manifests: [world.signature.descriptor, world.secret.descriptor] });
    expect((await world.mirror.get('/v2/team/attack/manifests/x')).status).toBe(200);
    world.registry.down();
    const theirs = await world.mirror.get(`/v2/team/attack/referrers/${world.secret.digest}`);
    expect([theirs.status, theirs.body.includes(world.signature.digest)]).toEqual([502, false]);
    const own = await world.mirror.get(`/v2/team/secret/referrers/${world.secret.digest}`);
    expect(own.body.toString()).toContain(world.signature.digest);
  });

  test('a no of the registry holds when it goes away', async () => {
    await using world = await World.start({ isOpen: true });
    world.attack({ layers: [world.layer] });
    await world.mirror.get('/v2/team/attack/manifests/x');
    await expectNothing(world, [`blobs/${world.layer.digest}`]);
    world.registry.down();
    expect((await world.mirror.get(`/v2/team/attack/blobs/${world.layer.digest}`)).status).toBe(502);
  });
});

/** Makes the index one of version 4, where what belongs had no source. */
function downgrade(path: string): void {
  const old = `${path}.old`;
  {
    using database = new DatabaseSync(old);
    migrate(database, old, MIGRATIONS.slice(0, 4));
    database.exec(`ATTACH '${path}' AS now`);
    for (const table of ['repositories', 'tags', 'manifests', 'edges', 'belongings', 'blobs', 'totals']) {
      const columns = database.prepare(`PRAGMA table_info (${table})`).all();
      const names = columns.map(({ name }) => name).join(', ');
      const namesNow = names.replace('upstream', 'registry');
      database.exec(`INSERT OR REPLACE INTO ${table} (${names}) SELECT ${namesNow} FROM now.${table}`);
    }
  }
  for (const part of ['-wal', '-shm']) rmSync(`${path}${part}`, { force: true });
  renameSync(old, path);
}

describe('a shared layer', () => {
  /** Another image of the same registry with the layer: its claim is true. */
  async function claim(world: World): Promise<string> {
    world.registry.putImage('team/app', '1', { layers: [LAYER] });
    expect((await world.mirror.get('/v2/team/app/manifests/1')).status).toBe(200);
    return `/v2/team/app/blobs/${world.layer.digest}`;
  }

  test('is asked for once for each repository, by HEAD', async () => {
    await using world = await World.start();
    const path = await claim(world);
    const first = await world.mirror.get(path);
    expect(first.body.equals(LAYER)).toBe(true);
    expect(first.headers['cache-status']).toContain('confirmed for this repository');
    expect((await world.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    await world.restart();
    expect((await world.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    expect(world.registry.count({ kind: 'blob', repository: 'team/app' })).toBe(1);
  });

  test('is confirmed by the length of one byte’s range where HEAD tells none', async () => {
    await using world = await World.start();
    const path = await claim(world);
    world.registry.fault({ kind: 'blob', method: 'HEAD' }, chunked());
    expect((await world.mirror.get(path)).body.equals(LAYER)).toBe(true);
    const asked = world.registry.requests.filter(
      (hit) => hit.repository === 'team/app' && hit.kind === 'blob',
    );
    expect(asked.map(({ method, headers }) => [method, headers.range])).toEqual([
      ['HEAD', undefined],
      ['GET', 'bytes=0-0'],
    ]);
  });

  test('is confirmed by the length of one byte’s range where HEAD tells another', async () => {
    await using world = await World.start();
    const path = await claim(world);
    world.registry.fault({ kind: 'blob', method: 'HEAD' }, withHeaders({ 'content-length': '7' }));
    const { headers, body } = await world.mirror.get(path);
    expect([headers['cache-status'], body.equals(LAYER)]).toEqual([
      expect.stringContaining('confirmed for this repository'),
      true,
    ]);
    const gets = world.registry.requests.filter(
      ({ method, repository, kind }) => method === 'GET' && repository === 'team/app' && kind === 'blob',
    );
    expect(gets.map((hit) => hit.headers.range)).toEqual(['bytes=0-0']);
  });

  test.each([
    ['another length', [withHeaders({ 'content-length': '7' })]],
    ['another digest', [withHeaders({ 'docker-content-digest': digestOf('another') })]],
  ])('is not confirmed by a HEAD of %s', async (_, verbs) => {
    await using world = await World.start();
    const path = await claim(world);
    world.registry.fault({ kind: 'blob', method: 'HEAD' }, ...verbs);
    expect((await world.mirror.get(path)).body.equals(LAYER)).toBe(true);
    expect(world.registry.count({ kind: 'blob', method: 'GET', repository: 'team/app' })).toBe(1);
  });

  test('is not confirmed by a portal that answers 200 to everything', async () => {
    await using world = await World.start();
    const path = await claim(world);
    const portal = { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') };
    const end = world.registry.fault({ repository: 'team/app' }, instead(portal));
    const { status, body } = await world.mirror.get(path);
    expect([status, body.toString()]).toEqual([502, expect.stringContaining('sent a page (text/html)')]);
    end();
    expect((await world.mirror.get(path)).body.equals(LAYER)).toBe(true);
  });

  test('for which the whole alone is proof is fetched, and dropped beside the one that is here', async () => {
    await using world = await World.start();
    const path = await claim(world);
    world.registry.fault({ kind: 'blob', repository: 'team/app' }, withoutRanges);
    expect((await world.mirror.get(path)).body.equals(LAYER)).toBe(true);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect((await world.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    expect((await world.mirror.index.stats()).blobs).toBe((await world.mirror.files('blobs/sha256')).length);
  });

  test('of a running fill is asked for at the size of the fill, and counts once that is verified', async () => {
    await using world = await World.start();
    const fresh = randomBytes(100_000);
    const { digest } = world.registry.putBlob('team/secret', fresh);
    world.registry.putBlob('team/app', fresh);
    const stalled = stallAfter(50_000);
    world.registry.fault({ kind: 'blob', method: 'GET', repository: 'team/secret' }, stalled);
    const leader = world.mirror.get(`/v2/team/secret/blobs/${digest}`);
    await stalled.reached;
    const path = `/v2/team/app/blobs/${digest}`;
    const other = await world.mirror.open(path);
    const key = { registry: 'registry.test', repository: 'team/app' as never };
    expect(await world.mirror.index.belongs(key, digest)).toBe(false);
    stalled.release();
    other.resume();
    await leader;
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect((await world.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    expect(world.registry.count({ kind: 'blob', repository: 'team/app' })).toBe(1);
  });
});

/** A registry that tells no length and does no ranges. */
function withoutRanges(
  reply: Parameters<ReturnType<typeof chunked>>[0],
): ReturnType<ReturnType<typeof chunked>> {
  return chunked()({ ...reply, status: 200, body: Buffer.from(LAYER) });
}

describe('while upstream cannot be asked', () => {
  async function claimed(world: World): Promise<string> {
    world.registry.putImage('team/app', '1', { layers: [LAYER] });
    await world.mirror.get('/v2/team/app/manifests/1');
    return `/v2/team/app/blobs/${world.layer.digest}`;
  }

  test('what is claimed is served with a warning where nothing tells those who ask apart', async () => {
    await using world = await World.start({ isOpen: true });
    const path = await claimed(world);
    world.registry.down();
    const { status, headers, body } = await world.mirror.get(path);
    expect([status, body.equals(LAYER)]).toEqual([200, true]);
    expect(headers['warning']).toMatch(/served from the cache without confirmation: registry\.test/);
    expect((await world.mirror.head(path)).status).toBe(200);
    world.registry.up();
    world.mirror.clock.advance(60_000);
    expect((await world.mirror.get(path)).headers['warning']).toBeUndefined();
  });

  test('it is 503 where something does, and says so', async () => {
    await using world = await World.start({ isOpen: false });
    const path = await claimed(world);
    world.registry.down();
    for (const { status, body } of [await world.mirror.get(path), await world.mirror.get(path)]) {
      expect(status).toBe(503);
      expect(body.toString()).toContain('not yet confirmed for this repository (team/app)');
    }
    expect((await world.mirror.head(path)).status).toBe(503);
    expect((await world.mirror.get(`/v2/team/secret/blobs/${world.layer.digest}`)).status).toBe(200);
  });

  test.each([
    ['throttled', status(429)],
    ['broken', status(500)],
  ])('it is the same where upstream is %s', async (_, reply) => {
    await using world = await World.start({ isOpen: false });
    const path = await claimed(world);
    world.registry.fault({ repository: 'team/app' }, instead(reply));
    expect((await world.mirror.get(path)).status).toBe(503);
  });

  test('a 404 of what stands before the registry is no refusal, and not remembered', async () => {
    await using world = await World.start({ isOpen: true });
    const path = await claimed(world);
    const html = {
      status: 404,
      headers: { 'content-type': 'text/html' },
      body: Buffer.from('default backend'),
    };
    const end = world.registry.fault({ repository: 'team/app' }, instead(html));
    const during = await world.mirror.get(path);
    expect([during.status, during.headers['warning'] !== undefined]).toEqual([200, true]);
    end();
    const after = await world.mirror.get(path);
    expect([after.status, after.headers['warning']]).toEqual([200, undefined]);
  });

  test('a refusal is no failure', async () => {
    await using world = await World.start({ isOpen: true });
    const path = await claimed(world);
    world.registry.fault({ repository: 'team/app' }, instead(registryError(403, 'DENIED')));
    expect((await world.mirror.get(path)).status).toBe(404);
  });
});

describe('a no of the registry', () => {
  test('that came before the bytes did holds when the registry goes away', async () => {
    await using world = await World.start({ isOpen: true });
    const fresh = randomBytes(10_000);
    const { digest } = world.registry.putBlob('team/secret', fresh);
    world.attack({ layers: [{ mediaType: OCI_LAYER, digest, size: fresh.length }] });
    await world.mirror.get('/v2/team/attack/manifests/x');
    const path = `/v2/team/attack/blobs/${digest}`;
    expect((await world.mirror.get(path)).status).toBe(404);
    expect((await world.mirror.get(`/v2/team/secret/blobs/${digest}`)).status).toBe(200);
    world.mirror.clock.advance(31_000);
    world.registry.down();
    expect((await world.mirror.get(path)).status).toBe(502);
  });

  test('that only GET tells is one as well', async () => {
    await using world = await World.start({ isOpen: true });
    world.attack({ manifests: [world.secret.descriptor] });
    await world.mirror.get('/v2/team/attack/manifests/x');
    world.registry.fault({ kind: 'manifest', method: 'HEAD' }, instead(status(405)));
    const path = `/v2/team/attack/manifests/${world.secret.digest}`;
    expect((await world.mirror.get(path)).status).toBe(404);
    world.mirror.clock.advance(31_000);
    world.registry.down();
    expect((await world.mirror.get(path)).status).toBe(502);
  });

  test('and a yes that only GET tells is a yes', async () => {
    await using world = await World.start();
    world.registry.putManifest('team/app', '1', Buffer.from(world.secret.bytes));
    world.registry.fault({ kind: 'manifest', method: 'HEAD' }, instead(status(405)));
    const path = `/v2/team/app/manifests/${world.secret.digest}`;
    expect((await world.mirror.get(path)).headers['cache-status']).toContain('confirmed for this repository');
    expect((await world.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    expect(world.registry.count({ kind: 'manifest', method: 'GET', repository: 'team/app' })).toBe(1);
  });
});

describe('of two upstreams', () => {
  interface Two extends AsyncDisposable {
    readonly good: FakeRegistry;
    readonly evil: FakeRegistry;
    readonly mirror: MirrorFixture;
    readonly image: StoredImage;
  }

  async function start(document?: Uint8Array): Promise<Two> {
    const good = await startFakeRegistry();
    const evil = await startFakeRegistry();
    const image = good.putImage('team/app', '1', { layers: [LAYER] });
    if (document !== undefined) good.putManifest('team/app', 'bare', document);
    const upstreams = [
      { name: 'good.test', registry: good, isOpen: true },
      { name: 'evil.test', registry: evil, isOpen: true },
    ];
    const mirror = await startMirror({ upstreams });
    for (const path of ['manifests/1', `blobs/${image.config.digest}`, `blobs/${digestOf(LAYER)}`]) {
      const { status } = await mirror.get(`/v2/good.test/team/app/${path}`);
      if (status !== 200) throw new Error(`${path} could not be cached: ${status}`);
    }
    return {
      good,
      evil,
      mirror,
      image,
      async [Symbol.asyncDispose]() {
        await mirror[Symbol.asyncDispose]();
        await good[Symbol.asyncDispose]();
        await evil[Symbol.asyncDispose]();
      },
    };
  }

  /** Says that it has what it has not: the right length and digest by HEAD, and nothing by GET. */
  function lie({ evil }: Two, path: RegExp, size: number, digest: string, type: string): void {
    const headers = { 'content-length': String(size), 'docker-content-digest': digest, 'content-type': type };
    const told = { status: 200, headers, body: new Uint8Array() };
    evil.fault({ method: 'HEAD' }, (reply) => (path.test(digest) ? { ...reply, ...told } : reply));
  }

  test('one’s word does not open what the other has given: a blob', async () => {
    await using two = await start();
    lie(two, /./u, LAYER.length, digestOf(LAYER), 'application/octet-stream');
    const path = `/v2/evil.test/any/thing/blobs/${digestOf(LAYER)}`;
    for (const headers of [{}, { range: 'bytes=0-9' }]) {
      const answer = await two.mirror.get(path, { headers });
      expect([answer.status, answer.body.equals(LAYER)]).toEqual([404, false]);
    }
    // Its word is told as its word, and nothing comes of it.
    await two.mirror.head(path);
    two.mirror.clock.advance(31_000);
    expect((await two.mirror.get(path)).status).toBe(404);
  });

  test.each(['1', 'digest'])(
    'one’s word does not open what the other has given: a manifest by %s',
    async (by) => {
      await using two = await start();
      const { image } = two;
      lie(two, /./u, image.bytes.length, image.digest, image.mediaType);
      const reference = by === 'digest' ? image.digest : by;
      const answer = await two.mirror.get(`/v2/evil.test/any/thing/manifests/${reference}`);
      expect([answer.status, answer.body.equals(image.bytes)]).toEqual([404, false]);
    },
  );

  test('its bytes do, and are fetched whole', async () => {
    await using two = await start();
    two.evil.putBlob('any/thing', LAYER);
    const path = `/v2/evil.test/any/thing/blobs/${digestOf(LAYER)}`;
    expect((await two.mirror.get(path)).body.equals(LAYER)).toBe(true);
    expect(two.evil.count({ kind: 'blob', method: 'GET' })).toBe(1);
    await expect.poll(() => two.mirror.mirror.fills.size).toBe(0);
    expect((await two.mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    // From then on its word is enough for its other repositories.
    two.evil.putBlob('another/thing', LAYER);
    const other = await two.mirror.get(`/v2/evil.test/another/thing/blobs/${digestOf(LAYER)}`);
    expect(other.headers['cache-status']).toContain('confirmed for this repository');
    expect((await two.mirror.index.stats()).blobs).toBe((await two.mirror.files('blobs/sha256')).length);
  });

  test('a claim of one does not open what the other has given, while it is away either', async () => {
    await using two = await start();
    const config = two.evil.putBlob('any/thing', Buffer.from('{}'));
    const layers = [{ mediaType: OCI_LAYER, digest: digestOf(LAYER), size: LAYER.length }];
    const document = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers };
    two.evil.putManifest('any/thing', 'x', document);
    await two.mirror.get('/v2/evil.test/any/thing/manifests/x');
    two.evil.down();
    const answer = await two.mirror.get(`/v2/evil.test/any/thing/blobs/${digestOf(LAYER)}`);
    expect([answer.status, answer.body.equals(LAYER)]).toEqual([502, false]);
  });

  describe('under which type a manifest goes that does not say it', () => {
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 };
    const bare = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [] }));

    test.each([1024 * 1024, 1])(
      'is each one’s own word, with %d bytes of memory',
      async (manifestMemoryBytes) => {
        await using good = await startFakeRegistry();
        await using evil = await startFakeRegistry();
        good.putManifest('team/app', '1', bare, MediaType.ociManifest);
        evil.putManifest('team/app', '1', bare, MediaType.dockerManifest);
        const directory = await mkdtemp(join(tmpdir(), 'larder-test-'));
        const upstreams = [
          { name: 'good.test', registry: good },
          { name: 'evil.test', registry: evil },
        ];
        for (let run = 0; run < 2; run += 1) {
          await using mirror = await startMirror({ upstreams, directory, manifestMemoryBytes });
          for (const reference of ['1', digestOf(bare), '1']) {
            for (const [name, type] of [
              ['good.test', MediaType.ociManifest],
              ['evil.test', MediaType.dockerManifest],
            ] as const) {
              const { headers } = await mirror.get(`/v2/${name}/team/app/manifests/${reference}`);
              expect([name, headers['content-type']]).toEqual([name, type]);
            }
          }
        }
        expect([good, evil].map((each) => each.count({ kind: 'manifest', method: 'GET' }))).toEqual([1, 1]);
        await rm(directory, { recursive: true });
      },
    );
  });
});
