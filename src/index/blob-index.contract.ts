import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import type { StoredUse } from './blob-index.ts';
import { DEBIAN, digest, edge, manifest } from './content.contract.ts';
import { describeEvictionOrder } from './eviction-order.contract.ts';

/** Tests what every implementation does with the record of committed bytes. */
export function describeBlobIndex(subject: Subject): void {
  describe('in the order of eviction', () => {
    describeEvictionOrder(subject);
  });

  it('finds a blob', async () => {
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

  it('lists all blobs by pages, in the order of their digests', async () => {
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

  it('counts blobs and bytes', async () => {
    const { index } = subject;
    expect(await index.stats()).toEqual({ blobs: 0, bytes: 0 });
    await index.putBlob({ digest: digest('a'), size: 2 ** 41 }, 1);
    await index.putBlob({ digest: digest('b'), size: 0 }, 1);
    expect(await index.stats()).toEqual({ blobs: 2, bytes: 2 ** 41 });
  });

  it('counts a blob once, with its last size', async () => {
    const { index } = subject;
    await index.putBlob({ digest: digest('a'), size: 10 }, 1);
    await index.putBlob({ digest: digest('a'), size: 10 }, 2);
    await index.putBlob({ digest: digest('a'), size: 4 }, 2);
    expect(await index.stats()).toEqual({ blobs: 1, bytes: 4 });
  });

  it('forgets a blob', async () => {
    const { index } = subject;
    await index.putBlob({ digest: digest('a'), size: 10 }, 1);
    await index.deleteBlob(digest('a'));
    await index.deleteBlob(digest('a'));
    expect(await index.stats()).toEqual({ blobs: 0, bytes: 0 });
  });

  it('forgets what a manifest said when its bytes are gone, but keeps the belongings', async () => {
    const { index } = subject;
    const entry = manifest('m', { subject: digest('s') });
    await index.putBlob({ digest: digest('m'), size: 10 }, 1);
    await index.putManifest(DEBIAN, entry, [edge('layer', 'l')]);
    await index.deleteBlob(digest('m'));
    expect(await index.manifest(digest('m'))).toBeUndefined();
    expect(await index.edges(digest('m'))).toEqual([]);
    expect(await index.referrers(DEBIAN, digest('s'))).toEqual([]);
    expect(await index.describedSize(digest('l'))).toBeUndefined();
    expect(await index.belongs(DEBIAN, digest('m'))).toBe(true);
    expect(await index.standing(DEBIAN, digest('l'))).toMatchObject({ source: 'claimed' });
  });

  it('keeps what a manifest said when its bytes are lost, and no longer counts them', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')], { stored: { usedAt: 1 } });
    await index.loseBlob(digest('m'));
    expect(await index.stats()).toEqual({ blobs: 0, bytes: 0 });
    expect(await index.blob(digest('m'))).toBeUndefined();
    expect(await index.edges(digest('m'))).toHaveLength(1);
    expect(await index.closure(digest('m'))).toEqual([digest('m'), digest('l')]);
  });

  it('records a manifest together with its bytes just as one after the other', async () => {
    const { index } = subject;
    const entry = manifest('m');
    await index.putManifest(DEBIAN, entry, [edge('layer', 'l')], { stored: { usedAt: 7 } });
    const together = await index.blob(digest('m'));
    await index.deleteBlob(digest('m'));
    await index.putManifest(DEBIAN, entry, [edge('layer', 'l')]);
    await index.putBlob(entry.descriptor, 7);
    expect(together).toEqual(await index.blob(digest('m')));
    expect(together).toMatchObject({ tier: 1, usedAt: 7, size: entry.descriptor.size });
  });

  it('records uses of digests that it knows, and passes over others', async () => {
    const { index } = subject;
    await index.putBlob({ digest: digest('a'), size: 10 }, 5);
    await index.touch(
      new Map([
        [digest('a'), 9],
        [digest('unknown'), 9],
      ]),
    );
    await index.touch(new Map());
    expect(await index.stats()).toEqual({ blobs: 1, bytes: 10 });
  });

  it('has the right totals after any changes', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(fc.record({ put: name, size: fc.nat(1000) }), fc.record({ delete: name }));
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { index } = subject;
      const model = new Map<string, number>();
      for (const name of ['a', 'b', 'c', 'd']) await index.deleteBlob(digest(name));
      for (const step of steps) {
        if ('put' in step) {
          model.set(step.put, step.size);
          await index.putBlob({ digest: digest(step.put), size: step.size }, 1);
        } else {
          model.delete(step.delete);
          await index.deleteBlob(digest(step.delete));
        }
      }
      const bytes = [...model.values()].reduce((sum, size) => sum + size, 0);
      expect(await index.stats()).toEqual({ blobs: model.size, bytes });
    });
    await fc.assert(property, { numRuns: 50 });
  });
}
