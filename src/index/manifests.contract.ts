import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import { ALPINE, DEBIAN, digest, edge, manifest, OTHER_DEBIAN } from './content.contract.ts';

/** What every implementation does with manifests, edges, referrers and belonging. */
export function describeManifests(subject: Subject): void {
  describeEntries(subject);
  describeReferrers(subject);
  describeBelonging(subject);
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

  it('takes what was put last', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m', { subject: digest('s') }), [
      edge('config', 'k'),
      edge('layer', 'a'),
    ]);
    await index.putManifest(ALPINE, manifest('m'), [edge('layer', 'b')]);
    expect(await index.manifest(digest('m'))).toEqual(manifest('m'));
    expect(await index.edges(digest('m'))).toEqual([edge('layer', 'b')]);
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([]);
  });
}

function describeReferrers(subject: Subject): void {
  it('lists what refers to a subject, of this repository only', async () => {
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

function describeBelonging(subject: Subject): void {
  it('makes a manifest and what it refers to belong to its repository, but not its subject', async () => {
    const { index } = subject;
    const edges = [edge('config', 'k'), edge('layer', 'l'), edge('manifest', 'child'), edge('subject', 's')];
    await index.putManifest(DEBIAN, manifest('m'), edges);
    for (const name of ['m', 'k', 'l', 'child']) {
      expect(await index.belongs(DEBIAN, digest(name))).toBe(true);
      expect(await index.belongs(ALPINE, digest(name))).toBe(false);
      expect(await index.belongs(OTHER_DEBIAN, digest(name))).toBe(false);
    }
    expect(await index.belongs(DEBIAN, digest('s'))).toBe(false);
  });

  it('makes a subject belong that is a layer as well', async () => {
    const edges = [edge('layer', 's'), edge('subject', 's')];
    await subject.index.putManifest(DEBIAN, manifest('m'), edges);
    expect(await subject.index.belongs(DEBIAN, digest('s'))).toBe(true);
  });

  it('lets a digest belong to several repositories, and be taken from one', async () => {
    const { index } = subject;
    await index.putBelonging(DEBIAN, digest('l'));
    await index.putBelonging(DEBIAN, digest('l'));
    await index.putBelonging(ALPINE, digest('l'));
    await index.deleteBelonging(DEBIAN, digest('l'));
    await index.deleteBelonging(OTHER_DEBIAN, digest('l'));
    expect(await index.belongs(DEBIAN, digest('l'))).toBe(false);
    expect(await index.belongs(ALPINE, digest('l'))).toBe(true);
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

  it('knows no size where manifests disagree', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l', 77)]);
    await index.putManifest(ALPINE, manifest('liar'), [edge('layer', 'l', 1)]);
    await index.putManifest(OTHER_DEBIAN, manifest('n'), [edge('layer', 'l', 77)]);
    expect(await index.describedSize(digest('l'))).toBeUndefined();
  });
}
