import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestHex, digestOf, type Digest } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';

const MIB = 1024 * 1024;
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

/** An image in a registry, by the paths of its HTTP API. */
export interface StoredImage {
  readonly byTag: string;
  readonly byDigest: string;
  readonly manifest: Uint8Array;
  readonly digest: Digest;
  readonly layers: readonly StoredBlob[];
}

export interface StoredBlob {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The storage directory of a registry, laid out as distribution does (its docs/spec: registry/storage/paths.go).
 * Writing it instead of pushing takes seconds for gigabytes of blobs.
 */
export class RegistryStorage {
  readonly directory: string;
  #count = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Returns the path of the file with a blob's bytes. @param start the first two digits of `hex`, the blob's hash */
  static fileOf(start: string, hex: string): string {
    return `docker/registry/v2/blobs/sha256/${start}/${hex}/data`;
  }

  /** Writes an image whose layers do not compress and are in no other image. */
  async putImage(repository: string, tag: string, layerSizes: readonly number[]): Promise<StoredImage> {
    const config = await this.#putBytes(repository, JSON.stringify({ architecture: 'amd64', os: 'linux' }));
    const layers: StoredBlob[] = [];
    for (const size of layerSizes) layers.push(await this.#putLayer(repository, size));
    const document = JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: { mediaType: CONFIG, ...config },
      layers: layers.map(({ digest, size }): Descriptor => ({ mediaType: LAYER, digest, size })),
    });
    const { digest } = await this.#putBytes(repository, document);
    const manifests = join('repositories', repository, '_manifests');
    await this.#link(join(manifests, 'revisions/sha256', digestHex(digest), 'link'), digest);
    await this.#link(join(manifests, 'tags', tag, 'current/link'), digest);
    await this.#link(join(manifests, 'tags', tag, 'index/sha256', digestHex(digest), 'link'), digest);
    const base = `/v2/${repository}/manifests`;
    const paths = { byTag: `${base}/${tag}`, byDigest: `${base}/${digest}` };
    return { ...paths, manifest: Buffer.from(document), digest, layers };
  }

  async #putBytes(
    repository: string,
    text: string,
  ): Promise<{ readonly digest: Digest; readonly size: number }> {
    const digest = digestOf(text);
    await this.#write(blobFile(digest), text);
    await this.#linkLayer(repository, digest);
    return { digest, size: Buffer.byteLength(text) };
  }

  async #putLayer(repository: string, size: number): Promise<StoredBlob> {
    this.#count += 1;
    const temporary = join(this.directory, 'layer.tmp');
    await mkdir(this.directory, { recursive: true });
    const digest = await writeIncompressible(temporary, size, `layer ${this.#count}`);
    const path = join(this.directory, blobFile(digest));
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
    await this.#linkLayer(repository, digest);
    return { path: `/v2/${repository}/blobs/${digest}`, digest, size };
  }

  async #linkLayer(repository: string, digest: Digest): Promise<void> {
    await this.#link(join('repositories', repository, '_layers/sha256', digestHex(digest), 'link'), digest);
  }

  async #link(path: string, digest: Digest): Promise<void> {
    await this.#write(join('docker/registry/v2', path), digest);
  }

  async #write(path: string, content: string): Promise<void> {
    const file = join(this.directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

function blobFile(digest: Digest): string {
  const hex = digestHex(digest);
  return RegistryStorage.fileOf(hex.slice(0, 2), hex);
}

/** Writes bytes that look random and do not compress, the same for the same seed. */
async function writeIncompressible(path: string, size: number, seed: string): Promise<Digest> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(8 * MIB);
  const hash = createHash('sha256');
  await using file = await open(path, 'w');
  for (let left = size; left > 0; left -= zeros.length) {
    const chunk = cipher.update(zeros.subarray(0, left));
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  return `sha256:${hash.digest('hex')}` as Digest;
}
