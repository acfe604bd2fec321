import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { createWriteStream } from 'node:fs';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { run } from './process.ts';

const LAYER_TAR_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';

/** The two digests of a layer: of its compressed bytes, and of the tar inside, which clients check after unpacking. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** The folder of an OCI image layout that is being built. */
export interface Layout {
  readonly directory: string;
  /** Adds bytes as a blob. */
  add(bytes: Uint8Array | string, mediaType: string): Promise<Descriptor>;
  /** Compresses a tar file by gzip, and adds it as a layer. */
  addLayer(tarFile: string): Promise<Layer>;
  /** Writes index.json, which names the images of the layout. */
  finish(named: readonly (readonly [Descriptor, string])[]): Promise<void>;
}

export async function createLayout(directory: string): Promise<Layout> {
  const blobs = join(directory, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return {
    directory,
    async add(bytes, mediaType) {
      const digest = digestOf(bytes);
      await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
      return { mediaType, digest, size: Buffer.byteLength(bytes) };
    },
    addLayer: async (tarFile) => addLayer(blobs, tarFile),
    async finish(named) {
      const manifests = named.map(([descriptor, name]) => ({
        ...descriptor,
        annotations: { 'org.opencontainers.image.ref.name': name },
      }));
      await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    },
  };
}

async function addLayer(blobs: string, tarFile: string): Promise<Layer> {
  const temporary = join(blobs, 'layer.tmp');
  const diffHash = createHash('sha256');
  const hash = createHash('sha256');
  await pipeline(
    createReadStream(tarFile, { highWaterMark: 1 << 20 }),
    tap((chunk) => diffHash.update(chunk)),
    createGzip({ level: 1 }),
    tap((chunk) => hash.update(chunk)),
    createWriteStream(temporary),
  );
  const hex = hash.digest('hex');
  await rename(temporary, join(blobs, hex));
  const { size } = await stat(join(blobs, hex));
  return {
    descriptor: { mediaType: LAYER_TAR_GZIP, digest: `sha256:${hex}` as Digest, size },
    diffId: `sha256:${diffHash.digest('hex')}` as Digest,
  };
}

function tap(look: (chunk: Uint8Array) => void) {
  return async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      look(chunk);
      yield chunk;
    }
  };
}

/** Adds an image for one platform, which has these layers. */
export interface Image {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Layer[];
}

export async function addImage(
  layout: Layout,
  architecture: string,
  layers: readonly Layer[],
): Promise<Image> {
  const config = await layout.add(
    JSON.stringify({
      architecture,
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      config: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['bash'] },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => ({ created: '2024-01-01T00:00:00Z', created_by: 'test' })),
    }),
    IMAGE_CONFIG,
  );
  const document = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config,
    layers: layers.map((layer) => layer.descriptor),
  };
  const manifest = await layout.add(JSON.stringify(document), MediaType.ociManifest);
  return { manifest: { ...manifest, platform: { os: 'linux', architecture } }, config, layers };
}

export async function addIndex(layout: Layout, images: readonly Image[]): Promise<Descriptor> {
  const manifests = images.map((image) => image.manifest);
  const document = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
  return layout.add(JSON.stringify(document), MediaType.ociIndex);
}

/** Returns the manifest of an artifact that refers to `subject`, as a signature does (image-spec manifest.md, "subject"). */
export function artifactManifest(subject: Descriptor, config: Descriptor, layer: Descriptor): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: 'application/vnd.example.signature.v1',
    config: { ...config, mediaType: EMPTY_CONFIG },
    layers: [layer],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: { 'org.example.signer': 'test' },
  });
}

/** Writes a tar of a directory's content. The same files give the same bytes. */
export async function tarOf(
  directory: string,
  tarFile: string,
  exclude: readonly string[] = [],
): Promise<void> {
  const reproducible = ['--sort=name', '--mtime=@0', '--numeric-owner', '--format=gnu'];
  const excluded = exclude.map((pattern) => `--exclude=${pattern}`);
  await run('tar', [...reproducible, ...excluded, '-C', directory, '-cf', tarFile, '.']);
}

/** Returns bytes that look random and do not compress. The same seed gives the same bytes. */
export function incompressible(bytes: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}
