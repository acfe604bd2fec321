import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { MediaType } from '../../oci/media-type.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { FetchedManifest } from '../../upstream/upstream.ts';
import { hasProblem, readTree, TreeAnswer, type ManifestTree } from './tree.ts';

const REPOSITORY = parseRepositoryName('acme/app');

/** A repository in memory, which counts what it is asked. */
class Repository {
  readonly asked: string[] = [];
  readonly referring = new Map<Digest, readonly Descriptor[]>();
  readonly #manifests = new Map<Digest, FetchedManifest>();

  put(document: object, mediaType: string = MediaType.ociManifest): Descriptor {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
    const digest = digestOf(bytes);
    const content = parseManifest(bytes, mediaType);
    this.#manifests.set(digest, { bytes, mediaType, digest, verified: true, content });
    return { mediaType, digest, size: bytes.length };
  }

  image(layer: string): Descriptor {
    const config = { mediaType: 'application/json', digest: digestOf(`config of ${layer}`), size: 2 };
    return this.put({ config, layers: [{ mediaType: 'x/layer', digest: digestOf(layer), size: 10 }] });
  }

  index(manifests: readonly Descriptor[]): Descriptor {
    return this.put({ manifests }, MediaType.ociIndex);
  }

  manifest = async (_: unknown, reference: Reference): Promise<FetchedManifest> => {
    const digest = reference.kind === 'digest' ? reference.digest : digestOf('');
    this.asked.push(`manifest ${digest}`);
    const found = this.#manifests.get(digest);
    if (found !== undefined) return found;
    throw new UpstreamError('r', 'absent', 'status', 'it is not there', { status: 404, isVerdict: true });
  };

  referrers = async (_: unknown, subject: Digest): Promise<readonly Descriptor[]> => {
    this.asked.push(`referrers ${subject}`);
    const found = this.referring.get(subject);
    if (found !== undefined || this.referring.size === 0) return found ?? [];
    throw new UpstreamError('r', 'unavailable', 'status', 'not now', { status: 503 });
  };

  async tree({ digest }: Descriptor): Promise<ManifestTree> {
    const tree = await readTree(this, REPOSITORY, await this.manifest(undefined, { kind: 'digest', digest }));
    this.asked.shift();
    return z.strictObject(TreeAnswer.shape).parse({ image: 'x', tree }).tree;
  }
}

const on = (descriptor: Descriptor, architecture: string): Descriptor => ({
  ...descriptor,
  platform: { os: 'linux', architecture },
});

const about = (descriptor: Descriptor, subject: Digest): Descriptor => ({
  ...descriptor,
  platform: { os: 'unknown', architecture: 'unknown' },
  annotations: { 'vnd.docker.reference.digest': subject },
});

describe('the tree of an image', () => {
  it('has its config, its layers and its referrers', async () => {
    const repository = new Repository();
    const image = repository.image('a');
    const signature = { ...repository.image('signature'), artifactType: 'x/signature' };
    repository.referring.set(image.digest, [signature]);
    expect(await repository.tree(image)).toMatchObject({
      digest: image.digest,
      size: image.size,
      config: { digest: digestOf('config of a') },
      layers: [{ digest: digestOf('a'), size: 10 }],
      referrers: [{ digest: signature.digest, artifactType: 'x/signature' }],
      problems: [],
    });
  });
});

describe('the tree of an index', () => {
  it('has the attestations beside the images that they are about', async () => {
    const repository = new Repository();
    const [amd64, arm64] = [repository.image('amd64'), repository.image('arm64')];
    const [ofAmd64, ofArm64] = [repository.image('sbom of amd64'), repository.image('sbom of arm64')];
    const stray = about(repository.image('stray'), digestOf('elsewhere'));
    const index = repository.index([
      on(amd64, 'amd64'),
      on(arm64, 'arm64'),
      about(ofAmd64, amd64.digest),
      about(ofArm64, arm64.digest),
      stray,
    ]);
    const { manifests } = await repository.tree(index);
    expect(
      manifests.map(({ platform, digest, attestations }) => [
        platform,
        digest,
        attestations.map((a) => a.digest),
      ]),
    ).toEqual([
      ['linux/amd64', amd64.digest, [ofAmd64.digest]],
      ['linux/arm64', arm64.digest, [ofArm64.digest]],
      ['unknown/unknown', stray.digest, []],
    ]);
    expect(manifests[0]?.attestations[0]?.layers).toMatchObject([{ digest: digestOf('sbom of amd64') }]);
  });

  it('asks each question once, and nothing about attestations', async () => {
    const repository = new Repository();
    const image = repository.image('a');
    const sbom = about(repository.image('sbom'), image.digest);
    const inner = repository.index([on(image, 'amd64'), sbom]);
    const tree = await repository.tree(repository.index([inner, on(image, 'amd64'), on(image, 'amd64')]));
    expect(repository.asked.filter((question) => question.startsWith('manifest'))).toHaveLength(3);
    expect(repository.asked.filter((question) => question.startsWith('referrers'))).toHaveLength(3);
    expect(new Set(repository.asked).size).toBe(repository.asked.length);
    expect(hasProblem(tree)).toBe(false);
  });

  it('names what cannot be had, and has the rest', async () => {
    const repository = new Repository();
    const image = repository.image('a');
    const gone = { mediaType: MediaType.ociManifest, digest: digestOf('gone'), size: 1 };
    const blob = { mediaType: 'text/plain', digest: digestOf('blob'), size: 1 };
    const index = repository.index([on(gone, 'amd64'), on(image, 'arm64'), blob]);
    repository.referring.set(index.digest, []);
    const tree = await repository.tree(index);
    expect(hasProblem(tree)).toBe(true);
    expect(tree.manifests.map(({ problems }) => problems)).toEqual([
      ['r: it is not there'],
      ['its referrers are unknown: r: not now'],
      ['this is no manifest'],
    ]);
  });

  it('is bounded in depth', async () => {
    const repository = new Repository();
    const deep = Array.from({ length: 8 }).reduce<Descriptor>(
      (inner) => repository.index([inner]),
      repository.image('a'),
    );
    expect(JSON.stringify(await repository.tree(deep))).toContain('its indexes are nested too deeply');
    expect(repository.asked.length).toBeLessThan(12);
  });

  it('is bounded in width', async () => {
    const repository = new Repository();
    const image = repository.image('a');
    const wide = repository.index(Array.from({ length: 200 }, () => image));
    const wider = repository.index(Array.from({ length: 200 }, () => wide));
    const text = JSON.stringify(await repository.tree(wider));
    expect(text).toContain('200 more manifests are not read');
    expect(text.split(image.digest).length - 1).toBe(800);
  });
});
