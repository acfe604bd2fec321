import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import type { ContentIndex } from './content-index.ts';
import type { RepositoryKey } from './repository-key.ts';
import type { GoneWalk } from './content-survey.ts';
import { ALPINE, DEBIAN, digest, edge, repositoryKey, LATEST, manifest } from './content.contract.ts';

const LONG = 1000;

/** Walks through everything, as upkeep does. @returns the number of rows that were forgotten */
async function forget(index: ContentIndex, now: number, limit = 2): Promise<number> {
  let forgotten = 0;
  for (const of of ['tags', 'belongings', 'manifests'] satisfies GoneWalk['of'][]) {
    let after: string | undefined;
    do {
      const piece = await index.forgetGone({ of, after, limit, now, goneBefore: now - LONG });
      expect(piece.rows).toBeLessThanOrEqual(limit);
      forgotten += piece.forgotten;
      after = piece.after;
    } while (after !== undefined);
  }
  return forgotten;
}

/** Puts an image that a tag stands for, all of it stored. */
async function putImage(index: ContentIndex): Promise<void> {
  await index.putManifest(DEBIAN, manifest('m'), [edge('config', 'c'), edge('layer', 'l')], {
    stored: { usedAt: 1 },
  });
  for (const name of ['c', 'l']) {
    await index.putBelonging(DEBIAN, digest(name), 'given');
    await index.putBlob({ digest: digest(name), size: 10 }, 1);
  }
  await index.putTag(DEBIAN, LATEST, { digest: digest('m'), checkedAt: 1 });
}

async function putLayered(index: ContentIndex, name: string): Promise<void> {
  await index.putManifest(DEBIAN, manifest(name), [edge('layer', 'l')], { stored: { usedAt: 1 } });
}

async function evict(index: ContentIndex, ...names: readonly string[]): Promise<void> {
  for (const name of names) await index.deleteBlob(digest(name));
}

async function belongings(index: ContentIndex): Promise<number> {
  return (await index.belongings(DEBIAN, { limit: 100 })).length;
}

/** Tests what every implementation forgets of images that are gone. */
export function describeForgetGone(subject: Subject): void {
  it('forgets nothing that is stored, and nothing that its manifests claim, however often it walks', async () => {
    const { index } = subject;
    await putImage(index);
    await index.putManifest(DEBIAN, manifest('i'), [edge('manifest', 'never pulled')], {
      stored: { usedAt: 1 },
    });
    await evict(index, 'l');
    for (const now of [1, 5000, 50_000]) expect(await forget(index, now)).toBe(0);
    expect(await index.standing(DEBIAN, digest('l'))).toMatchObject({ source: 'given' });
    expect(await index.standing(DEBIAN, digest('never pulled'))).toMatchObject({ source: 'claimed' });
  });

  it('forgets an image that has been gone for long: its tag, then its belongings', async () => {
    const { index } = subject;
    await putImage(index);
    await evict(index, 'm', 'c', 'l');
    expect(await forget(index, 10_000)).toBe(0);
    expect(await forget(index, 10_000 + LONG - 1)).toBe(0);
    expect(await index.tag(DEBIAN, LATEST)).toBeDefined();
    await forget(index, 10_000 + LONG);
    expect(await index.tag(DEBIAN, LATEST)).toBeUndefined();
    await forget(index, 10_000 + 3 * LONG);
    expect(await belongings(index)).toBe(0);
    expect(await index.repositories({ limit: 10 })).toEqual([]);
  });

  it('keeps the history of a forgotten tag', async () => {
    const { index } = subject;
    await putImage(index);
    await evict(index, 'm', 'c', 'l');
    for (const now of [10_000, 20_000, 30_000]) await forget(index, now);
    expect(await index.tagHistory(DEBIAN, LATEST)).toEqual([
      { digest: digest('m'), since: 1, seen: 'pulled', checkedAt: 1, until: 20_000, ended: 'forgotten' },
    ]);
  });

  it('begins the time anew for content that was stored again meanwhile', async () => {
    const { index } = subject;
    await putImage(index);
    await evict(index, 'm', 'c', 'l');
    await forget(index, 10_000);
    await putImage(index);
    await forget(index, 10_500);
    await evict(index, 'm', 'c', 'l');
    await forget(index, 10_000 + LONG);
    expect(await index.tag(DEBIAN, LATEST)).toBeDefined();
    expect(await belongings(index)).toBe(3);
  });

  it.each(['m', 'n'])('begins anew with a tag that is asked for, and stands for %s', async (name) => {
    const { index } = subject;
    await putImage(index);
    await evict(index, 'm');
    await forget(index, 10_000);
    await index.putTag(DEBIAN, LATEST, { digest: digest(name), checkedAt: 2 });
    await forget(index, 10_000 + LONG);
    expect(await index.tag(DEBIAN, LATEST)).toMatchObject({ digest: digest(name) });
    await forget(index, 10_000 + 2 * LONG);
    expect(await index.tag(DEBIAN, LATEST)).toBeUndefined();
  });

  it('begins the time anew if the clock was set back', async () => {
    const { index } = subject;
    await putImage(index);
    await evict(index, 'm', 'c', 'l');
    await forget(index, 90_000);
    await forget(index, 10_000);
    expect(await forget(index, 10_000 + LONG)).toBeGreaterThan(0);
  });

  it('keeps what a pin names', async () => {
    const { index } = subject;
    await putImage(index);
    await index.pin({ kind: 'tag', key: DEBIAN, tag: LATEST }, 1);
    await index.putBelonging(ALPINE, digest('p'), 'given');
    await index.pin({ kind: 'digest', digest: digest('p') }, 1);
    await evict(index, 'm', 'c', 'l');
    for (const now of [10_000, 20_000, 30_000]) await forget(index, now);
    expect(await index.tag(DEBIAN, LATEST)).toBeDefined();
    expect(await index.belongs(DEBIAN, digest('m'))).toBe(true);
    expect(await index.belongs(ALPINE, digest('p'))).toBe(true);
  });

  it.each([
    [99, false],
    [100, true],
  ])('takes a digest with %i edges from any repositories for needed: %s', async (edges, isKept) => {
    const { index } = subject;
    await index.putBelonging(DEBIAN, digest('l'), 'given');
    await index.putManifest(ALPINE, manifest('m'), Array(edges).fill(edge('layer', 'l')), {
      stored: { usedAt: 1 },
    });
    for (const now of [10_000, 20_000]) await forget(index, now);
    expect(await index.belongs(DEBIAN, digest('l'))).toBe(isKept);
  });

  it('forgets a lost manifest once it belongs to no repository, and then what only it led to', async () => {
    const { index } = subject;
    await putImage(index);
    await index.deleteTag(DEBIAN, LATEST, 2);
    await index.loseBlob(digest('m'));
    await evict(index, 'c', 'l');
    await forget(index, 10_000);
    expect(await index.edges(digest('m'))).toHaveLength(2);
    await forget(index, 10_000 + LONG);
    expect(await index.manifest(digest('m'))).toBeUndefined();
    expect(await index.edges(digest('m'))).toEqual([]);
    await forget(index, 10_000 + 2 * LONG);
    await forget(index, 10_000 + 3 * LONG);
    expect(await belongings(index)).toBe(0);
  });

  it.each<[what: string, comeBack: (index: ContentIndex, name: string) => Promise<unknown>]>([
    ['pulled again', (index, name) => putLayered(index, name)],
    ['pinned', (index, name) => index.pin({ kind: 'digest', digest: digest(name) }, 1)],
    ['given to a repository', (index, name) => index.putBelonging(DEBIAN, digest(name), 'given')],
  ])('keeps a manifest that is %s while others are forgotten', async (_, comeBack) => {
    const { index } = subject;
    const names = ['x', 'y', 'z'].toSorted((a, b) => (digest(a) < digest(b) ? -1 : 1));
    for (const name of names) {
      await putLayered(index, name);
      await index.loseBlob(digest(name));
      await index.deleteBelonging(DEBIAN, digest(name));
    }
    const walk = { of: 'manifests', after: undefined, limit: 10, now: 1, goneBefore: 0 } as const;
    const [last = ''] = names.slice(-1);
    const [piece] = await Promise.all([index.forgetGone(walk), comeBack(index, last)]);
    expect(piece).toMatchObject({ rows: 3, forgotten: 2 });
    expect(await index.manifest(digest(last))).toEqual(manifest(last));
    expect(await index.edges(digest(last))).toEqual([edge('layer', 'l')]);
  });

  it('keeps everything servable that was servable', async () => {
    const keys = [DEBIAN, ALPINE, repositoryKey('ghcr.io', 'forget/property')];
    const names = ['a', 'b', 'c', 'd', 'e'];
    const key = fc.constantFrom(...keys);
    const name = fc.constantFrom(...names);
    const step = fc.oneof(
      fc.tuple(fc.constant('manifest' as const), key, name, fc.uniqueArray(name, { maxLength: 3 })),
      fc.tuple(fc.constant('blob' as const), key, name, fc.constant([])),
      fc.tuple(fc.constant('tag' as const), key, name, fc.constant([])),
      fc.tuple(
        fc.constantFrom('evict' as const, 'lose' as const, 'forget' as const),
        key,
        name,
        fc.constant([]),
      ),
    );
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { index } = subject;
      await clear(index, keys, names);
      for (const [position, [kind, of, what, children]] of steps.entries()) {
        await play(index, { kind, key: of, name: what, children, now: position * 700 });
        if (kind !== 'forget') continue;
        const before = await servable(index, keys, names);
        await forget(index, position * 700, 3);
        expect(await servable(index, keys, names)).toEqual(before);
      }
    });
    await fc.assert(property, { numRuns: 30 });
  });
}

async function clear(
  index: ContentIndex,
  keys: readonly RepositoryKey[],
  names: readonly string[],
): Promise<void> {
  await evict(index, ...names);
  for (const key of keys) {
    await index.deleteTags(key);
    for (const name of names) await index.deleteBelonging(key, digest(name));
  }
}

async function play(
  index: ContentIndex,
  step: {
    readonly kind: 'manifest' | 'blob' | 'tag' | 'evict' | 'lose' | 'forget';
    readonly key: RepositoryKey;
    readonly name: string;
    readonly children: readonly string[];
    readonly now: number;
  },
): Promise<void> {
  const { kind, key, name, children, now } = step;
  const edges = children.filter((child) => child !== name).map((child) => edge('manifest', child));
  if (kind === 'manifest') await index.putManifest(key, manifest(name), edges, { stored: { usedAt: now } });
  if (kind === 'blob') {
    await index.putBelonging(key, digest(name), 'given');
    await index.putBlob({ digest: digest(name), size: 1 }, now);
  }
  if (kind === 'tag') await index.putTag(key, LATEST, { digest: digest(name), checkedAt: now });
  if (kind === 'evict') await index.deleteBlob(digest(name));
  if (kind === 'lose') await index.loseBlob(digest(name));
}

/** Returns what can be served without upstream: through which repository, and by which tag. */
async function servable(
  index: ContentIndex,
  keys: readonly RepositoryKey[],
  names: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const key of keys) {
    for (const name of names) {
      if ((await index.blob(digest(name))) === undefined) continue;
      const { source } = await index.standing(key, digest(name));
      if (source !== undefined) found.push(`${key.repository} ${name} ${source}`);
      if ((await index.tag(key, LATEST))?.digest === digest(name)) found.push(`${key.repository}:latest`);
      if ((await index.manifest(digest(name))) !== undefined) found.push(`manifest ${name}`);
    }
  }
  return found;
}
