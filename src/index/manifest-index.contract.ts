import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import { ALPINE, DEBIAN, digest, edge, manifest, OTHER_DEBIAN } from './content.contract.ts';

/** Tests what every implementation does with manifests, edges and referrers. */
export function describeManifestIndex(subject: Subject): void {
  describeEntries(subject);
  describeReferrers(subject);
  describeParents(subject);
  describeTypes(subject);
  describeSizes(subject);
}

function describeEntries(subject: Subject): void {
  it('knows no manifest at first', async () => {
    expect(await subject.index.manifest(digest('m'))).toBeUndefined();
    expect(await subject.index.edges(digest('m'))).toEqual([]);
  });

  it('remembers a manifest as a referrers answer shows it', async () => {
    const entry = manifest('m', {
      descriptor: {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: digest('m'),
        size: 2 ** 40,
        artifactType: 'application/vnd.example.sbom',
        annotations: { 'org.example.ä': 'ö "quoted" \u0000' },
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      },
      subject: digest('subject'),
    });
    await subject.index.putManifest(DEBIAN, entry, []);
    expect(await subject.index.manifest(digest('m'))).toEqual(entry);
  });

  it('remembers edges in their order, also the same one twice', async () => {
    const edges = [
      edge('config', 'k', 0),
      edge('layer', 'z'),
      edge('layer', 'a', 2 ** 40),
      edge('layer', 'z'),
      edge('manifest', 'child'),
      edge('subject', 's'),
    ];
    await subject.index.putManifest(DEBIAN, manifest('m'), edges);
    expect(await subject.index.edges(digest('m'))).toEqual(edges);
  });

  it('keeps the edges that were put last', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('config', 'k'), edge('layer', 'a')]);
    await index.putManifest(ALPINE, manifest('m', { subject: digest('s') }), [edge('layer', 'b')]);
    expect(await index.manifest(digest('m'))).toEqual(manifest('m', { subject: digest('s') }));
    expect(await index.edges(digest('m'))).toEqual([edge('layer', 'b')]);
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([manifest('m').descriptor]);
  });

  it('keeps a subject if the manifest comes again under a type that has none', async () => {
    const { index } = subject;
    const edges = [edge('layer', 'a'), edge('subject', 's')];
    await index.putManifest(DEBIAN, manifest('m', { subject: digest('s') }), edges);
    const relabelled = { ...manifest('m').descriptor, mediaType: 'application/vnd.test.other' };
    await index.putManifest(OTHER_DEBIAN, { descriptor: relabelled, subject: undefined }, [
      edge('layer', 'a'),
    ]);
    expect(await index.manifest(digest('m'))).toEqual(manifest('m', { subject: digest('s') }));
    expect(await index.edges(digest('m'))).toEqual(edges);
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([manifest('m').descriptor]);
    expect(await index.referrers(OTHER_DEBIAN, digest('s'))).toEqual([relabelled]);
  });
}

function describeReferrers(subject: Subject): void {
  it('lists the manifests that refer to a subject, of this repository only', async () => {
    const { index } = subject;
    const [signature, sbom] = [
      manifest('signature', { subject: digest('s') }),
      manifest('sbom', { subject: digest('s') }),
    ];
    await index.putManifest(DEBIAN, signature, [edge('subject', 's')]);
    await index.putManifest(DEBIAN, sbom, [edge('subject', 's')]);
    await index.putManifest(DEBIAN, manifest('unrelated', { subject: digest('t') }), []);
    await index.putManifest(ALPINE, manifest('theirs', { subject: digest('s') }), []);
    const found = await index.referrers(DEBIAN, digest('s'));
    expect(found).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining([signature.descriptor, sbom.descriptor]));
    expect(await index.referrers(ALPINE, digest('s'))).toEqual([manifest('theirs').descriptor]);
    expect(await index.referrers(OTHER_DEBIAN, digest('s'))).toEqual([]);
  });
}

function describeParents(subject: Subject): void {
  it('knows which manifests refer to a digest: the stored ones, or those of a repository', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l'), edge('config', 'c')]);
    await index.putManifest(ALPINE, manifest('n'), [edge('layer', 'l')]);
    await index.putManifest(DEBIAN, manifest('signature', { subject: digest('l') }), [edge('subject', 'l')]);
    await index.putBlob({ digest: digest('n'), size: 1 }, 1);
    await index.putBlob({ digest: digest('signature'), size: 1 }, 1);
    expect(await index.parents(digest('l'), 10)).toEqual([digest('n')]);
    expect(await index.parents(digest('l'), 10, DEBIAN)).toEqual([digest('m')]);
    expect(await index.parents(digest('l'), 10, ALPINE)).toEqual([digest('n')]);
    expect(await index.parents(digest('l'), 0, ALPINE)).toEqual([]);
    expect(await index.parents(digest('c'), 10)).toEqual([]);
  });
}

function describeTypes(subject: Subject): void {
  it('remembers the type under which each upstream has given a manifest, as long as the bytes are stored', async () => {
    const { index } = subject;
    const { descriptor } = manifest('m');
    const relabelled = { ...descriptor, mediaType: 'application/vnd.test.other' };
    const stored = { stored: { usedAt: 1 } };
    await index.putManifest(DEBIAN, manifest('m'), [], stored);
    expect(await index.manifestType('ghcr.io', digest('m'))).toBeUndefined();
    await index.putManifest(OTHER_DEBIAN, { descriptor: relabelled, subject: undefined }, [], stored);
    expect(await index.manifestType('docker.io', digest('m'))).toBe(descriptor.mediaType);
    expect(await index.manifestType('ghcr.io', digest('m'))).toBe(relabelled.mediaType);
    await index.putManifest(ALPINE, { descriptor: relabelled, subject: undefined }, [], stored);
    expect(await index.manifestType('docker.io', digest('m'))).toBe(relabelled.mediaType);
    await index.putBelonging(DEBIAN, digest('m'), 'given');
    expect(await index.manifestType('docker.io', digest('m'))).toBe(relabelled.mediaType);
    await index.deleteBlob(digest('m'));
    expect(await index.manifestType('docker.io', digest('m'))).toBeUndefined();
  });
}

function describeSizes(subject: Subject): void {
  it('knows the size that manifests give', async () => {
    const { index } = subject;
    expect(await index.describedSize(digest('l'))).toBeUndefined();
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l', 77), edge('layer', 'empty', 0)]);
    await index.putManifest(ALPINE, manifest('n'), [edge('layer', 'l', 77)]);
    expect(await index.describedSize(digest('l'))).toBe(77);
    expect(await index.describedSize(digest('empty'))).toBe(0);
  });

  it('knows no size if manifests disagree', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l', 77)]);
    await index.putManifest(ALPINE, manifest('liar'), [edge('layer', 'l', 1)]);
    await index.putManifest(OTHER_DEBIAN, manifest('n'), [edge('layer', 'l', 77)]);
    expect(await index.describedSize(digest('l'))).toBeUndefined();
  });
}
