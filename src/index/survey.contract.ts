import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import type { StoredUse } from './content-index.ts';
import { ALPINE, DEBIAN, digest, edge, LATEST, manifest, OTHER_DEBIAN } from './content.contract.ts';
import { parseTag } from '../oci/tag.ts';

const STABLE = parseTag('stable');

/** What every implementation tells maintenance, and takes from it. */
export function describeSurvey(subject: Subject): void {
  describeStored(subject);
  describeAdoption(subject);
  describeRelations(subject);
  describeRepositories(subject);

  it('keeps notes', async () => {
    const { index } = subject;
    expect(await index.note('verify')).toBeUndefined();
    await index.putNote('verify', 'one');
    await index.putNote('verify', 'two');
    expect(await index.note('verify')).toBe('two');
    expect(await index.note('other')).toBeUndefined();
  });
}

function describeStored(subject: Subject): void {
  it('tells of one blob', async () => {
    const { index } = subject;
    expect(await index.blob(digest('a'))).toBeUndefined();
    await index.putBlob({ digest: digest('a'), size: 2 ** 41 }, 7);
    expect(await index.blob(digest('a'))).toEqual({
      digest: digest('a'),
      size: 2 ** 41,
      usedAt: 7,
      tier: 0,
    });
  });

  it('tells of all blobs by pages, in the order of their digests', async () => {
    const { index } = subject;
    const digests = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(digest);
    for (const each of digests) await index.putBlob({ digest: each, size: 1 }, 1);
    const found: StoredUse[] = [];
    for (;;) {
      const page = await index.blobs({ after: found.at(-1)?.digest, limit: 2 });
      if (page.length === 0) break;
      found.push(...page);
    }
    expect(found.map((blob) => blob.digest)).toEqual(digests.toSorted());
  });
}

function describeAdoption(subject: Subject): void {
  it('adopts bytes that have no row, once', async () => {
    const { index } = subject;
    const blob = { digest: digest('a'), size: 5 };
    expect(await index.isRecovered(digest('a'))).toBe(false);
    expect(await index.adopt(blob, 3)).toBe(true);
    expect(await index.adopt(blob, 4)).toBe(false);
    expect(await index.blob(digest('a'))).toMatchObject({ size: 5, usedAt: 3, tier: 0 });
    expect(await index.stats()).toEqual({ blobs: 1, bytes: 5 });
    expect(await index.isRecovered(digest('a'))).toBe(true);
  });

  it('adopts a manifest with what it says, for no repository', async () => {
    const { index } = subject;
    const entry = manifest('m', { subject: digest('s') });
    const edges = [edge('manifest', 'child'), edge('subject', 's')];
    await index.adopt({ digest: digest('m'), size: 500 }, 3, { entry, edges });
    expect(await index.manifest(digest('m'))).toEqual(entry);
    expect(await index.edges(digest('m'))).toEqual(edges);
    expect(await index.blob(digest('m'))).toMatchObject({ tier: 2 });
    expect(await index.closure(digest('m'))).toEqual([digest('m'), digest('child')]);
    expect(await index.repositoriesOf(digest('m'), 10)).toEqual([]);
    expect(await index.repositories({ limit: 10 })).toEqual([]);
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([]);
    await index.putBelonging(DEBIAN, digest('m'), 'confirmed');
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([entry.descriptor]);
  });

  it('leaves what has a row as it is', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    await index.putBlob({ digest: digest('m'), size: 500 }, 9);
    const adopted = { entry: manifest('m'), edges: [] };
    expect(await index.adopt({ digest: digest('m'), size: 1 }, 10, adopted)).toBe(false);
    expect(await index.edges(digest('m'))).toEqual([edge('layer', 'l')]);
    expect(await index.blob(digest('m'))).toMatchObject({ size: 500, usedAt: 9 });
    expect(await index.isRecovered(digest('m'))).toBe(false);
  });

  it('forgets that bytes were recovered when they are gone', async () => {
    const { index } = subject;
    await index.adopt({ digest: digest('a'), size: 5 }, 3);
    await index.deleteBlob(digest('a'));
    await index.putBlob({ digest: digest('a'), size: 5 }, 3);
    expect(await index.isRecovered(digest('a'))).toBe(false);
  });
}

function describeRelations(subject: Subject): void {
  it('knows the repositories of a digest', async () => {
    const { index } = subject;
    expect(await index.repositoriesOf(digest('a'), 10)).toEqual([]);
    for (const key of [DEBIAN, ALPINE, OTHER_DEBIAN]) await index.putBelonging(key, digest('a'), 'confirmed');
    const found = await index.repositoriesOf(digest('a'), 10);
    expect(found).toHaveLength(3);
    expect(found).toEqual(expect.arrayContaining([DEBIAN, ALPINE, OTHER_DEBIAN]));
    expect(await index.repositoriesOf(digest('a'), 2)).toHaveLength(2);
  });

  it('tells by pages what belongs to a repository', async () => {
    const { index } = subject;
    const digests = ['a', 'b', 'c'].map(digest).toSorted();
    for (const each of digests) await index.putBelonging(DEBIAN, each, 'confirmed');
    await index.putBelonging(ALPINE, digest('other'), 'confirmed');
    expect(await index.belongings(DEBIAN, { limit: 2 })).toEqual(digests.slice(0, 2));
    expect(await index.belongings(DEBIAN, { after: digests[1], limit: 2 })).toEqual(digests.slice(2));
    expect(await index.belongings(OTHER_DEBIAN, { limit: 2 })).toEqual([]);
  });

  it('knows the tags of a digest in a repository', async () => {
    const { index } = subject;
    const entry = { digest: digest('m'), checkedAt: 1 };
    await index.putTag(DEBIAN, STABLE, entry);
    await index.putTag(DEBIAN, LATEST, entry);
    await index.putTag(DEBIAN, parseTag('old'), { digest: digest('o'), checkedAt: 1 });
    await index.putTag(ALPINE, LATEST, entry);
    expect(await index.tagsOf(DEBIAN, digest('m'), 10)).toEqual([LATEST, STABLE]);
    expect(await index.tagsOf(DEBIAN, digest('m'), 1)).toEqual([LATEST]);
    expect(await index.tagsOf(OTHER_DEBIAN, digest('m'), 10)).toEqual([]);
  });

  it('knows what refers to a digest: stored, or of a repository', async () => {
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

function describeRepositories(subject: Subject): void {
  it('counts what is stored of a repository', async () => {
    const { index } = subject;
    const nothing = { tags: 0, blobs: 0, bytes: 0, usedAt: undefined };
    expect(await index.repositoryStats(DEBIAN)).toEqual(nothing);
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l'), edge('layer', 'not here')]);
    await index.putTag(DEBIAN, LATEST, { digest: digest('m'), checkedAt: 1 });
    await index.putBlob({ digest: digest('m'), size: 10 }, 5);
    await index.putBlob({ digest: digest('l'), size: 20 }, 4);
    await index.putBlob({ digest: digest('of another'), size: 40 }, 9);
    expect(await index.repositoryStats(DEBIAN)).toEqual({ tags: 1, blobs: 2, bytes: 30, usedAt: 5 });
    expect(await index.repositoryStats(ALPINE)).toEqual(nothing);
  });

  it('forgets the tags of a repository, and what they stood for', async () => {
    const { index } = subject;
    for (const key of [DEBIAN, ALPINE]) {
      await index.putTag(key, LATEST, { digest: digest('a'), checkedAt: 1 });
      await index.putTag(key, LATEST, { digest: digest('b'), checkedAt: 2 });
      await index.putTag(key, STABLE, { digest: digest('b'), checkedAt: 2 });
    }
    expect(await index.deleteTags(DEBIAN)).toBe(2);
    expect(await index.deleteTags(DEBIAN)).toBe(0);
    expect(await index.tags(DEBIAN, { limit: 10 })).toEqual([]);
    expect(await index.tagHistory(DEBIAN, LATEST)).toEqual([]);
    expect(await index.tags(ALPINE, { limit: 10 })).toEqual([LATEST, STABLE]);
    expect(await index.tagHistory(ALPINE, LATEST)).toHaveLength(2);
  });
}
