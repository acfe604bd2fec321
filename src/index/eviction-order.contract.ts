import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import type { ContentIndex } from './content-index.ts';
import type { StoredUse } from './blob-index.ts';
import { evictionRank, MAX_FAVOURED_BYTES, TIER_MS } from './eviction-rank.ts';
import { DEBIAN, digest, edge, manifest } from './content.contract.ts';

/** Returns the names of stored content, in the order of eviction, read in pages. */
async function order(index: ContentIndex, names: readonly string[], limit = 2): Promise<string[]> {
  const ordered: string[] = [];
  let after: StoredUse | undefined;
  do {
    const page = await index.leastUsed({ after, limit });
    ordered.push(...page.map((entry) => names.find((name) => digest(name) === entry.digest) ?? '?'));
    after = page.at(-1);
  } while (after !== undefined);
  return ordered;
}

/** Puts an index `i` of an image `m` with config `c` and layer `l`, all stored at time 1 except `absent`. */
async function putImage(index: ContentIndex, absent = ''): Promise<void> {
  await index.putManifest(DEBIAN, manifest('i'), [edge('manifest', 'm'), edge('manifest', 'elsewhere')]);
  await index.putManifest(DEBIAN, manifest('m', { subject: digest('s') }), [
    edge('config', 'c'),
    edge('layer', 'l'),
    edge('subject', 's'),
  ]);
  for (const name of ['i', 'm', 'c', 'l', 's', 'x']) {
    if (name !== absent) await index.putBlob({ digest: digest(name), size: 10 }, 1);
  }
}

const NAMES = ['i', 'm', 'c', 'l', 's', 'x'];

/** Tests what every implementation tells eviction. */
export function describeEvictionOrder(subject: Subject): void {
  it('is empty at first', async () => {
    expect(await subject.index.leastUsed({ limit: 10 })).toEqual([]);
  });

  it('tells size, use and tier', async () => {
    await putImage(subject.index);
    const all = await subject.index.leastUsed({ limit: 10 });
    expect(all.find((entry) => entry.digest === digest('l'))).toEqual({
      digest: digest('l'),
      size: 10,
      usedAt: 1,
      tier: 0,
    });
    expect(all.slice(-2)).toMatchObject([
      { digest: digest('m'), tier: 1 },
      { digest: digest('i'), tier: 2 },
    ]);
  });

  it('is that of the last use', async () => {
    const { index } = subject;
    await index.putBlob({ digest: digest('a'), size: 1 }, 30);
    await index.putBlob({ digest: digest('b'), size: 1 }, 10);
    await index.putBlob({ digest: digest('c'), size: 1 }, 20);
    expect(await order(index, ['a', 'b', 'c'])).toEqual(['b', 'c', 'a']);
    await index.touch(new Map([[digest('b'), 40]]));
    expect(await order(index, ['a', 'b', 'c'])).toEqual(['c', 'a', 'b']);
  });

  it('keeps a manifest an hour longer than a blob that was used with it, and an index longer still', async () => {
    const { index } = subject;
    await putImage(index);
    for (const [name, usedAt] of [
      ['s', TIER_MS],
      ['x', TIER_MS + 1],
      ['c', 2 * TIER_MS + 1],
    ] as const) {
      await index.putBlob({ digest: digest(name), size: 10 }, usedAt);
    }
    const ordered = await order(index, NAMES);
    expect(ordered.filter((name) => 'smi'.includes(name))).toEqual(['s', 'm', 'i']);
    expect(ordered.slice(2, 4).toSorted()).toEqual(['m', 'x']);
    expect(ordered.slice(4).toSorted()).toEqual(['c', 'i']);
  });

  it('at equal use puts a referenced digest before the manifest that refers to it', async () => {
    await putImage(subject.index);
    const ordered = await order(subject.index, NAMES);
    expect(ordered).toHaveLength(6);
    expect(ordered.slice(-2)).toEqual(['m', 'i']);
  });

  it('knows a manifest even if its bytes were recorded first', async () => {
    const { index } = subject;
    for (const name of ['i', 'm', 'l']) await index.putBlob({ digest: digest(name), size: 10 }, 1);
    await index.putManifest(DEBIAN, manifest('i'), [edge('manifest', 'm')]);
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    expect(await order(index, NAMES)).toEqual(['l', 'm', 'i']);
  });

  it.each([
    ['before it is known as one', true],
    ['afterwards', false],
  ])('keeps a manifest of very many bytes no longer than a blob, stored %s', async (_when, isStoredFirst) => {
    const { index } = subject;
    const store = async () => {
      await index.putBlob({ digest: digest('i'), size: MAX_FAVOURED_BYTES + 1 }, 1);
      await index.putBlob({ digest: digest('m'), size: MAX_FAVOURED_BYTES }, 1);
      await index.putBlob({ digest: digest('l'), size: 10 }, 2);
    };
    if (isStoredFirst) await store();
    await index.putManifest(DEBIAN, manifest('i'), [edge('manifest', 'm')]);
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    if (!isStoredFirst) await store();
    expect(await order(index, NAMES)).toEqual(['i', 'l', 'm']);
  });

  it('forgets that it was a manifest when its bytes are gone', async () => {
    const { index } = subject;
    await putImage(index);
    await index.deleteBlob(digest('m'));
    await index.putBlob({ digest: digest('m'), size: 10 }, 1);
    const entries = await index.leastUsed({ limit: 10 });
    expect(entries.find((entry) => entry.digest === digest('m'))?.tier).toBe(0);
  });

  it.each([
    ['i', ['s', 'x', 'c', 'l', 'm', 'i']],
    ['m', ['i', 's', 'x', 'c', 'l', 'm']],
    ['l', ['c', 'i', 'm', 's', 'x', 'l']],
  ])('counts the use of %s for all that it refers to except the subject', async (used, expected) => {
    await putImage(subject.index);
    await subject.index.touch(new Map([[digest(used), 2]]));
    const entries = await subject.index.leastUsed({ limit: 10 });
    const usedAt = (name: string) => entries.find((entry) => entry.digest === digest(name))?.usedAt;
    const touched = NAMES.filter((name) => usedAt(name) === 2);
    expect(new Set(touched)).toEqual(new Set(expected.slice(expected.indexOf('x') + 1)));
  });

  it('counts the use of a manifest that is not stored for the stored content that it refers to', async () => {
    await putImage(subject.index, 'm');
    await subject.index.touch(new Map([[digest('i'), 2]]));
    const entries = await subject.index.leastUsed({ limit: 10 });
    expect(entries.filter(({ usedAt }) => usedAt === 2)).toHaveLength(3);
  });

  it('follows manifests that refer to each other no deeper than images go, and ends', async () => {
    const { index } = subject;
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const [i, name] of names.entries()) {
      await index.putManifest(DEBIAN, manifest(name), [edge('manifest', names[(i + 1) % 5] ?? '')]);
      await index.putBlob({ digest: digest(name), size: 1 }, 1);
    }
    expect(await index.closure(digest('a'))).toEqual(['a', 'b', 'c', 'd'].map(digest));
    await index.putManifest(DEBIAN, manifest('a'), [edge('manifest', 'a')]);
    expect(await index.closure(digest('a'))).toEqual([digest('a')]);
  });

  it('counts the use of a huge manifest for a bounded number of digests', async () => {
    const edges = Array.from({ length: 5000 }, (_, i) => edge('layer', `layer ${i}`));
    await subject.index.putManifest(DEBIAN, manifest('m'), edges);
    expect((await subject.index.closure(digest('m'))).length).toBe(4000);
  });

  it('turns a use in the future into a use now', async () => {
    const { index } = subject;
    await putImage(index);
    await index.touch(
      new Map([
        [digest('i'), 50 * TIER_MS],
        [digest('x'), 2 * TIER_MS],
      ]),
    );
    expect(await index.settleUses(2 * TIER_MS)).toBe(4);
    expect(await index.settleUses(2 * TIER_MS)).toBe(0);
    for (const name of ['i', 'm', 'c', 'l', 'x']) {
      expect((await index.blob(digest(name)))?.usedAt).toBe(2 * TIER_MS);
    }
    expect((await index.blob(digest('s')))?.usedAt).toBe(1);
  });

  it('is that of evictionRank', async () => {
    const use = fc.record({ usedAt: fc.integer({ min: 0, max: 3 * TIER_MS }), tier: fc.nat(2) });
    const property = fc.asyncProperty(fc.array(use, { maxLength: 12 }), async (uses) => {
      const { index } = subject;
      for (let i = 0; i < 12; i += 1) await index.deleteBlob(digest(`${i}`));
      for (const [i, { usedAt, tier }] of uses.entries()) {
        if (tier > 0) {
          await index.putManifest(DEBIAN, manifest(`${i}`), [edge(tier === 2 ? 'manifest' : 'layer', 'l')]);
        }
        await index.putBlob({ digest: digest(`${i}`), size: 1 }, usedAt);
      }
      const ranks = (await index.leastUsed({ limit: 20 })).map(evictionRank);
      expect(ranks).toEqual(uses.map(evictionRank).toSorted((a, b) => a - b));
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('is the same whatever the page size, and whole', async () => {
    const blob = fc.record({
      name: fc.integer({ min: 0, max: 30 }),
      usedAt: fc.integer({ min: -2, max: 5 }),
    });
    const property = fc.asyncProperty(
      fc.array(blob, { maxLength: 25 }),
      fc.integer({ min: 1, max: 7 }),
      async (blobs, limit) => {
        const { index } = subject;
        for (let i = 0; i <= 30; i += 1) await index.deleteBlob(digest(`${i}`));
        for (const { name, usedAt } of blobs)
          await index.putBlob({ digest: digest(`${name}`), size: 1 }, usedAt);
        const names = [...new Set(blobs.map(({ name }) => `${name}`))];
        const paged = await order(index, names, limit);
        expect(paged).toEqual(await order(index, names, 100));
        expect(new Set(paged)).toEqual(new Set(names));
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });
}
