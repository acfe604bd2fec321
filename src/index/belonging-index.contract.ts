import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import { describeWaiting } from './waiting-claims.contract.ts';
import { ALPINE, DEBIAN, digest, edge, repositoryKey, manifest, OTHER_DEBIAN } from './content.contract.ts';

const OTHER_ALPINE = repositoryKey('ghcr.io', 'library/alpine');

/** Tests what every implementation keeps of belongings and origins. */
export function describeBelongingIndex(subject: Subject): void {
  describeBelonging(subject);
  describeOrigins(subject);
  describeWaiting(subject);
  describeDisclosure(subject);
}

function describeBelonging(subject: Subject): void {
  it('records a manifest as given, and what it refers to as claimed, except its subject', async () => {
    const { index } = subject;
    const edges = [edge('config', 'k'), edge('layer', 'l'), edge('manifest', 'child'), edge('subject', 's')];
    await index.putManifest(DEBIAN, manifest('m'), edges);
    expect(await index.standing(DEBIAN, digest('m'))).toMatchObject({ source: 'given' });
    for (const name of ['k', 'l', 'child']) {
      expect(await index.standing(DEBIAN, digest(name))).toMatchObject({ source: 'claimed' });
      expect(await index.standing(ALPINE, digest(name))).toMatchObject({ source: undefined });
      expect(await index.standing(OTHER_DEBIAN, digest(name))).toMatchObject({ source: undefined });
    }
    expect(await index.standing(DEBIAN, digest('s'))).toMatchObject({ source: undefined });
  });

  it('records a subject that is also a layer as claimed', async () => {
    const edges = [edge('layer', 's'), edge('subject', 's')];
    await subject.index.putManifest(DEBIAN, manifest('m'), edges);
    expect(await subject.index.standing(DEBIAN, digest('s'))).toMatchObject({ source: 'claimed' });
  });

  it('serves only what belongs by more than a claim', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    expect(await index.belongs(DEBIAN, digest('m'))).toBe(true);
    expect(await index.belongs(DEBIAN, digest('l'))).toBe(false);
    expect(await index.belongs(DEBIAN, digest('unknown'))).toBe(false);
    for (const source of ['confirmed', 'given', 'imported'] as const) {
      await index.putBelonging(DEBIAN, digest(source), source);
      expect(await index.belongs(DEBIAN, digest(source))).toBe(true);
      expect(await index.belongs(ALPINE, digest(source))).toBe(false);
    }
  });

  it('never makes a source weaker', async () => {
    const { index } = subject;
    for (const [put, expected] of [
      ['confirmed', 'confirmed'],
      ['given', 'given'],
      ['confirmed', 'given'],
      ['imported', 'imported'],
      ['given', 'imported'],
    ] as const) {
      await index.putBelonging(DEBIAN, digest('l'), put);
      await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
      expect(await index.standing(DEBIAN, digest('l'))).toMatchObject({ source: expected });
    }
  });

  it('lets a digest belong to several repositories, and be taken from one', async () => {
    const { index } = subject;
    await index.putBelonging(DEBIAN, digest('l'), 'confirmed');
    await index.putBelonging(DEBIAN, digest('l'), 'confirmed');
    await index.putBelonging(ALPINE, digest('l'), 'confirmed');
    await index.deleteBelonging(DEBIAN, digest('l'));
    await index.deleteBelonging(OTHER_DEBIAN, digest('l'));
    expect(await index.belongs(DEBIAN, digest('l'))).toBe(false);
    expect(await index.belongs(ALPINE, digest('l'))).toBe(true);
  });

  it('claims even what is already stored and confirmed for another repository', async () => {
    const { index } = subject;
    await index.putBelonging(ALPINE, digest('l'), 'given');
    await index.putManifest(ALPINE, manifest('m'), [
      edge('layer', 'l'),
      edge('layer', 'k'),
      edge('subject', 's'),
    ]);
    await index.putBelonging(DEBIAN, digest('k'), 'given');
    await index.putBelonging(DEBIAN, digest('m'), 'confirmed');
    expect(await index.standing(DEBIAN, digest('l'))).toMatchObject({ source: 'claimed' });
    expect(await index.standing(DEBIAN, digest('k'))).toMatchObject({ source: 'given' });
    expect(await index.standing(DEBIAN, digest('s'))).toMatchObject({ source: undefined });
    expect(await index.waitingClaim('docker.io')).toMatchObject({ key: DEBIAN, digest: digest('l') });
  });

  it('drops a claim, and nothing but a claim', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    for (const name of ['l', 'm', 'unknown']) await index.dropClaim(DEBIAN, digest(name));
    expect(await index.standing(DEBIAN, digest('l'))).toMatchObject({ source: undefined });
    expect(await index.standing(DEBIAN, digest('m'))).toMatchObject({ source: 'given' });
  });

  it('records vouched digests as confirmed if the registry has given their bytes, else as claimed', async () => {
    const { index } = subject;
    await index.putBelonging(ALPINE, digest('shared'), 'given');
    await index.putBelonging(OTHER_ALPINE, digest('of another'), 'given');
    const names = ['shared', 'of another', 'not here'];
    const vouched = new Set(names.map(digest));
    const edges = [...names.map((name) => edge('layer', name)), edge('layer', 'not vouched')];
    await index.putManifest(DEBIAN, manifest('m'), edges, { vouched });
    expect(await index.belongs(DEBIAN, digest('shared'))).toBe(true);
    for (const name of ['of another', 'not here', 'not vouched']) {
      expect(await index.standing(DEBIAN, digest(name))).toMatchObject({ source: 'claimed' });
    }
  });

  it('knows the repositories of a digest', async () => {
    const { index } = subject;
    expect(await index.repositoriesOf(digest('a'), 10)).toEqual([]);
    for (const key of [DEBIAN, ALPINE, OTHER_DEBIAN]) await index.putBelonging(key, digest('a'), 'confirmed');
    const found = await index.repositoriesOf(digest('a'), 10);
    expect(found).toHaveLength(3);
    expect(found).toEqual(expect.arrayContaining([DEBIAN, ALPINE, OTHER_DEBIAN]));
    expect(await index.repositoriesOf(digest('a'), 2)).toHaveLength(2);
  });

  it('lists by pages what belongs to a repository', async () => {
    const { index } = subject;
    const digests = ['a', 'b', 'c'].map(digest).toSorted();
    for (const each of digests) await index.putBelonging(DEBIAN, each, 'confirmed');
    await index.putBelonging(ALPINE, digest('other'), 'confirmed');
    expect(await index.belongings(DEBIAN, { limit: 2 })).toEqual(digests.slice(0, 2));
    expect(await index.belongings(DEBIAN, { after: digests[1], limit: 2 })).toEqual(digests.slice(2));
    expect(await index.belongings(OTHER_DEBIAN, { limit: 2 })).toEqual([]);
  });
}

function describeOrigins(subject: Subject): void {
  it('knows which upstreams have given the stored bytes', async () => {
    const { index } = subject;
    const isFrom = async (key: typeof DEBIAN): Promise<boolean> =>
      (await index.standing(key, digest('l'))).isFromUpstream;
    await index.putBlob({ digest: digest('l'), size: 1 }, 1);
    await index.putBelonging(DEBIAN, digest('l'), 'confirmed');
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    expect(await isFrom(DEBIAN)).toBe(false);
    await index.putBelonging(ALPINE, digest('l'), 'given');
    expect([await isFrom(DEBIAN), await isFrom(OTHER_DEBIAN)]).toEqual([true, false]);
    await index.putBelonging(OTHER_ALPINE, digest('l'), 'imported');
    expect(await isFrom(OTHER_DEBIAN)).toBe(true);
    await index.deleteBlob(digest('l'));
    expect([await isFrom(DEBIAN), await isFrom(OTHER_DEBIAN)]).toEqual([false, false]);
  });

  it('records that an upstream has given bytes without making them belong to its repositories', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    await index.putOrigin('docker.io', digest('l'));
    expect(await index.standing(DEBIAN, digest('l'))).toMatchObject({
      source: 'claimed',
      isFromUpstream: true,
    });
    expect(await index.standing(OTHER_DEBIAN, digest('l'))).toMatchObject({ isFromUpstream: false });
    expect(await index.belongs(ALPINE, digest('l'))).toBe(false);
    expect(await index.waitingClaim('docker.io')).toMatchObject({ key: DEBIAN, digest: digest('l') });
  });

  it('forgets which upstream gave bytes that are lost, and knows none for recovered bytes', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [], { stored: { usedAt: 1 } });
    expect(await index.standing(DEBIAN, digest('m'))).toMatchObject({
      isFromUpstream: true,
      isRecovered: false,
    });
    await index.loseBlob(digest('m'));
    expect(await index.standing(DEBIAN, digest('m'))).toMatchObject({ isFromUpstream: false });
    await index.adopt({ digest: digest('a'), size: 5 }, 3);
    expect(await index.standing(DEBIAN, digest('a'))).toEqual({
      source: undefined,
      isFromUpstream: false,
      isRecovered: true,
    });
  });
}

function describeDisclosure(subject: Subject): void {
  it('lists no manifest that is only claimed', async () => {
    const { index } = subject;
    const signature = manifest('signature', { subject: digest('s') });
    await index.putManifest(ALPINE, signature, [edge('subject', 's')]);
    await index.adopt({ digest: digest('index'), size: 1 }, 1, {
      entry: manifest('index'),
      edges: [edge('manifest', 'signature')],
    });
    await index.putManifest(DEBIAN, manifest('index'), [edge('manifest', 'signature')]);
    await index.deleteBelonging(DEBIAN, digest('index'));
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([]);
    expect(await index.repositories({ limit: 10 })).toEqual(['docker.io/library/alpine']);
    expect(await index.repositoriesOf(digest('signature'), 10)).toHaveLength(2);
    expect(await index.belongings(DEBIAN, { limit: 10 })).toEqual([digest('signature')]);
    await index.putBelonging(DEBIAN, digest('signature'), 'confirmed');
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([signature.descriptor]);
    expect(await index.repositories({ limit: 10 })).toContain('docker.io/library/debian');
  });
}
