import { describe, expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import { ALPINE, DEBIAN, digest, edge, repositoryKey, LATEST, manifest } from './content.contract.ts';
import { describeForgetGone } from './forget-gone.contract.ts';

/** Tests what every implementation does for questions about the whole index. */
export function describeContentSurvey(subject: Subject): void {
  describeAdoption(subject);
  describeRepositories(subject);
  describe('of what is gone', () => {
    describeForgetGone(subject);
  });

  it('keeps notes', async () => {
    const { index } = subject;
    expect(await index.note('verify')).toBeUndefined();
    await index.putNote('verify', 'one');
    await index.putNote('verify', 'two');
    expect(await index.note('verify')).toBe('two');
    expect(await index.note('other')).toBeUndefined();
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

  it('adopts a manifest with its edges, for no repository', async () => {
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

  it.each([
    ['an image', 500, 'layer', 1],
    ['an index', 500, 'manifest', 2],
    ['an index too large to be favoured', 64 * 1024 + 1, 'manifest', 0],
  ] as const)(
    'gives an adopted manifest the tier of one that was pulled: %s',
    async (_, size, role, tier) => {
      const { index } = subject;
      const edges = [edge(role, 'child')];
      await index.putManifest(DEBIAN, manifest('pulled'), edges, { stored: { usedAt: 3 } });
      await index.putBlob({ digest: digest('pulled'), size }, 3);
      await index.adopt({ digest: digest('m'), size }, 3, { entry: manifest('m'), edges });
      expect(await index.blob(digest('pulled'))).toMatchObject({ tier });
      expect(await index.blob(digest('m'))).toMatchObject({ tier });
    },
  );

  it('does not adopt bytes that have a row', async () => {
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

function describeRepositories(subject: Subject): void {
  it('lists repositories that have a tag or a manifest, in ASCII order of the whole path', async () => {
    const { index } = subject;
    await index.putTag(repositoryKey('ghcr.io', 'zed'), LATEST, { digest: digest('a'), checkedAt: 1 });
    await index.putTag(repositoryKey('ghcr', 'zed'), LATEST, { digest: digest('a'), checkedAt: 1 });
    await index.putManifest(repositoryKey('ghcr.io', 'acme/app'), manifest('a'), []);
    await index.putBelonging(repositoryKey('ghcr.io', 'only/a-blob'), digest('layer'), 'confirmed');
    const paths = ['ghcr.io/acme/app', 'ghcr.io/zed', 'ghcr/zed'];
    expect(await index.repositories({ limit: 10 })).toEqual(paths);
    expect(await index.repositories({ limit: 2 })).toEqual(paths.slice(0, 2));
    expect(await index.repositories({ after: paths[1], limit: 2 })).toEqual(paths.slice(2));
    expect(await index.repositories({ after: 'ghcr.io/b', limit: 1 })).toEqual(paths.slice(1, 2));
    expect(await index.repositories({ limit: 0 })).toEqual([]);
  });

  it('does not list a repository that has lost its last tag and manifest', async () => {
    const { index } = subject;
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
    await index.putManifest(ALPINE, manifest('a'), []);
    await index.deleteTag(DEBIAN, LATEST, 2);
    await index.deleteBlob(digest('a'));
    expect(await index.repositories({ limit: 10 })).toEqual([]);
  });

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

  it('counts what is known and stored of a manifest and all that it refers to', async () => {
    const { index } = subject;
    expect(await index.closureStats(digest('i'))).toEqual({ parts: 1, blobs: 0, bytes: 0 });
    await index.putManifest(DEBIAN, manifest('i'), [edge('manifest', 'm'), edge('manifest', 'not pulled')]);
    await index.putManifest(DEBIAN, manifest('m'), [
      edge('layer', 'l'),
      edge('layer', 'l'),
      edge('subject', 's'),
    ]);
    for (const name of ['i', 'm', 'l', 's']) await index.putBlob({ digest: digest(name), size: 10 }, 1);
    expect(await index.closureStats(digest('i'))).toEqual({ parts: 4, blobs: 3, bytes: 30 });
    expect(await index.closureStats(digest('m'))).toEqual({ parts: 2, blobs: 2, bytes: 20 });
  });
}
