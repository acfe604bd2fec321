import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import { ALPINE, DEBIAN, digest, edge, LATEST, manifest } from './content.contract.ts';

const BY_TAG = { kind: 'tag', key: DEBIAN, tag: LATEST } as const;
const BY_DIGEST = { kind: 'digest', digest: digest('b') } as const;

/** Tests what every implementation does with pins. */
export function describePinIndex(subject: Subject): void {
  it('there are none at first', async () => {
    expect(await subject.index.pins({ limit: 10 })).toEqual([]);
    expect(await subject.index.unpin(BY_TAG)).toBe(false);
  });

  it('are listed by name, with what they exempt now', async () => {
    const { index } = subject;
    await index.pin(BY_DIGEST, 2);
    await index.pin(BY_TAG, 3);
    const byTag = { name: 'docker.io/library/debian:latest', pin: BY_TAG, pinnedAt: 3 };
    const byDigest = { name: digest('b'), pin: BY_DIGEST, digest: digest('b'), pinnedAt: 2 };
    expect(await index.pins({ limit: 10 })).toEqual([{ ...byTag, digest: undefined }, byDigest]);
    await index.putTag(DEBIAN, LATEST, { digest: digest('m'), checkedAt: 1 });
    expect(await index.pins({ limit: 10 })).toEqual([{ ...byTag, digest: digest('m') }, byDigest]);
    await index.putTag(DEBIAN, LATEST, { digest: digest('n'), checkedAt: 2 });
    expect(await index.pins({ limit: 1 })).toEqual([{ ...byTag, digest: digest('n') }]);
    expect(await index.pins({ limit: 1, after: byTag.name })).toEqual([byDigest]);
  });

  it('are kept once, with the last time', async () => {
    const { index } = subject;
    await index.pin(BY_TAG, 1);
    await index.pin(BY_TAG, 2);
    expect(await index.pins({ limit: 10 })).toMatchObject([{ pinnedAt: 2 }]);
    await index.pin({ ...BY_TAG, key: ALPINE }, 3);
    expect(await index.pins({ limit: 10 })).toHaveLength(2);
  });

  it('end', async () => {
    const { index } = subject;
    await index.pin(BY_TAG, 1);
    await index.pin(BY_DIGEST, 1);
    expect(await index.unpin(BY_TAG)).toBe(true);
    expect(await index.pins({ limit: 10 })).toMatchObject([{ pin: BY_DIGEST }]);
    expect(await index.unpin(BY_DIGEST)).toBe(true);
    expect(await index.pins({ limit: 10 })).toEqual([]);
  });

  it('do not make a repository that was never pulled appear', async () => {
    await subject.index.pin(BY_TAG, 1);
    expect(await subject.index.repositories({ limit: 10 })).toEqual([]);
  });

  it('count as a use of all that is pinned', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    for (const name of ['m', 'l', 'b']) await index.putBlob({ digest: digest(name), size: 1 }, 1);
    await index.putTag(DEBIAN, LATEST, { digest: digest('m'), checkedAt: 1 });
    await index.pin(BY_TAG, 5);
    const usedAt = async (name: string): Promise<unknown> =>
      (await index.leastUsed({ limit: 10 })).find((entry) => entry.digest === digest(name))?.usedAt;
    expect([await usedAt('m'), await usedAt('l'), await usedAt('b')]).toEqual([5, 5, 1]);
    await index.pin(BY_DIGEST, 6);
    expect(await usedAt('b')).toBe(6);
  });
}
