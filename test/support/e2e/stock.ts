import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { dockerRegistry } from './docker-registry.ts';
import {
  addImage,
  addIndex,
  artifactManifest,
  createLayout,
  incompressible,
  tarOf,
  type Image,
  type Layout,
} from './image.ts';
import { run } from './process.ts';
import { pusher } from './push.ts';
import { rootFileSystem, type RootFileSystem } from './root-file-system.ts';

const MIB = 1024 * 1024;

/** The images that test registries hold, and the directories that a new registry copies them from. */
export interface Stock {
  /** The storage directory of a registry; `dockerRegistry({ stock })` takes it. */
  readonly storage: string;
  readonly rootFileSystem: RootFileSystem;
  /** `library/debian:bookworm`: an index of two platforms. Its amd64 image has a root file system and a layer of 32 MiB. */
  readonly debian: { readonly index: Descriptor; readonly amd64: Image; readonly arm64: Image };
  /** An artifact in `library/debian`, whose subject is the index. Clients find it by the referrers tag schema. */
  readonly artifact: Descriptor;
  /** `team/app:1`: a small image, for tests that need no large one. */
  readonly app: Image;
  /** `team/large:1`: an image whose one layer is of 120 MiB. */
  readonly large: Image;
  /** A storage that holds only `team/many`, a repository with `count` tags: `v0000`, `v0001`, … */
  readonly manyTags: { readonly storage: string; readonly count: number };
}

const MANY_TAGS = 2000;

/** The repositories and tags to which skopeo pushes the images of the layout, by their names in the layout. */
const TARGETS = { debian: 'library/debian:bookworm', app: 'team/app:1', large: 'team/large:1' } as const;

const SKOPEO_COPY = ['--all', '--preserve-digests', '--dest-tls-verify=false', '--quiet'];

/**
 * Returns the stock. The first call builds it with real tools (debootstrap, tar, skopeo, docker-registry), and keeps it
 * in the system's temporary directory, under a name that changes with the source of the builder.
 */
export async function prepareStock(): Promise<Stock> {
  const home = join(tmpdir(), `larder-e2e-stock-${process.getuid?.() ?? 0}`);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const kept = join(home, await builderKey());
  if (!existsSync(kept)) await build(home, kept);
  return JSON.parse(await readFile(join(kept, 'stock.json'), 'utf8')) as Stock;
}

/** Returns a key that changes with the source of the files that build the stock. */
async function builderKey(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['stock.ts', 'image.ts', 'push.ts', 'root-file-system.ts']) {
    hash.update(await readFile(join(import.meta.dirname, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(home: string, kept: string): Promise<void> {
  await removeOthers(home);
  const work = await mkdtemp(join(home, 'building-'));
  const layout = await createLayout(join(work, 'layout'));
  const root = await rootFileSystem(home);
  const built = await buildImages(layout, root, work);
  const artifact = await pushAll(layout, built, join(work, 'registry'));
  await rm(layout.directory, { recursive: true });
  await pushManyTags(join(work, 'many'));
  const stock: Stock = {
    storage: join(kept, 'registry'),
    rootFileSystem: root,
    ...built,
    artifact,
    manyTags: { storage: join(kept, 'many'), count: MANY_TAGS },
  };
  await writeFile(join(work, 'stock.json'), JSON.stringify(stock, null, 2));
  await rename(work, kept);
}

/** Removes the stocks of other versions of the builder: they are large, and no test uses them. */
async function removeOthers(home: string): Promise<void> {
  const names = await readdir(home);
  for (const name of names.filter((name) => name !== 'root-file-system')) {
    await rm(join(home, name), { recursive: true, force: true });
  }
}

type Built = Pick<Stock, 'debian' | 'app' | 'large'>;

async function buildImages(layout: Layout, root: RootFileSystem, work: string): Promise<Built> {
  const base = await layerOf(layout, work, async (tarFile) => tarOf(root.path, tarFile, root.exclude));
  const data = await layerOf(layout, work, fileTar(work, 'opt/data.bin', incompressible(32 * MIB, 'data')));
  const arm = await layerOf(layout, work, fileTar(work, 'etc/architecture', Buffer.from('arm64\n')));
  const small = await layerOf(layout, work, fileTar(work, 'app/run', incompressible(256 * 1024, 'app')));
  const huge = await layerOf(layout, work, fileTar(work, 'opt/huge.bin', incompressible(120 * MIB, 'huge')));
  const amd64 = await addImage(layout, 'amd64', [base, data]);
  const arm64 = await addImage(layout, 'arm64', [arm, data]);
  const app = await addImage(layout, 'amd64', [small]);
  const large = await addImage(layout, 'amd64', [huge]);
  const index = await addIndex(layout, [amd64, arm64]);
  await layout.finish([
    [index, 'debian'],
    [app.manifest, 'app'],
    [large.manifest, 'large'],
  ]);
  return { debian: { index, amd64, arm64 }, app, large };
}

async function layerOf(layout: Layout, work: string, makeTar: (tarFile: string) => Promise<void>) {
  const tarFile = join(work, 'layer.tar');
  await makeTar(tarFile);
  const layer = await layout.addLayer(tarFile);
  await rm(tarFile);
  return layer;
}

function fileTar(work: string, path: string, content: Buffer) {
  return async (tarFile: string): Promise<void> => {
    const directory = join(work, 'tree');
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
    await tarOf(directory, tarFile);
    await rm(directory, { recursive: true });
  };
}

/** Pushes all images to a new registry, and copies its storage to `storage`. */
async function pushAll(layout: Layout, built: Built, storage: string): Promise<Descriptor> {
  await using registry = await dockerRegistry();
  for (const [name, target] of Object.entries(TARGETS)) {
    const places = [`oci:${layout.directory}:${name}`, `docker://${registry.directHost}/${target}`];
    await run('skopeo', ['copy', ...SKOPEO_COPY, ...places]);
  }
  const artifact = await pushArtifact(registry.directUrl, built.debian.index);
  await run('cp', ['-a', registry.storage, storage]);
  return artifact;
}

/** Pushes the artifact, and the index that lists it: distribution 2.8 has no referrers API. */
async function pushArtifact(registryUrl: string, subject: Descriptor): Promise<Descriptor> {
  const push = pusher(registryUrl, 'library/debian');
  const config = await push.blob(Buffer.from('{}'));
  const signature = await push.blob(Buffer.from('signature\n'), 'text/plain');
  const document = artifactManifest(subject, config, signature);
  const artifact = await push.manifest(document, MediaType.ociManifest);
  const descriptor = { ...artifact, artifactType: 'application/vnd.example.signature.v1' };
  await push.manifest(
    JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [descriptor] }),
    MediaType.ociIndex,
    subject.digest.replace(':', '-'),
  );
  return descriptor;
}

/** Uses a storage of its own, so that other tests need not link its thousands of small files. */
async function pushManyTags(storage: string): Promise<void> {
  await using registry = await dockerRegistry();
  const push = pusher(registry.directUrl, 'team/many');
  const config = await push.blob(Buffer.from('{}'));
  const document = JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { ...config, mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: [],
  });
  const tags = Array.from({ length: MANY_TAGS }, (_, i) => `v${String(i).padStart(4, '0')}`);
  for (let i = 0; i < tags.length; i += 20) {
    await Promise.all(
      tags.slice(i, i + 20).map(async (tag) => push.manifest(document, MediaType.ociManifest, tag)),
    );
  }
  await run('cp', ['-a', registry.storage, storage]);
}
