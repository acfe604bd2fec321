import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import { ALPINE, DEBIAN, digest, edge, repositoryKey, manifest } from './content.contract.ts';

const OTHER_ALPINE = repositoryKey('ghcr.io', 'library/alpine');

/** Tests what every implementation keeps of the claims that wait to be confirmed. */
export function describeWaiting(subject: Subject): void {
  const waiting = async (upstream = 'docker.io'): Promise<string[]> => {
    const { index } = subject;
    const found: string[] = [];
    for (;;) {
      const claim = await index.waitingClaim(upstream);
      if (claim === undefined) return found;
      found.push(`${claim.key.repository} ${claim.digest}`);
      await index.passOver(claim.key, claim.digest);
    }
  };
  const positions = async (): Promise<number[]> => {
    const found: number[] = [];
    for (;;) {
      const claim = await subject.index.waitingClaim('docker.io', found.at(-1));
      if (claim === undefined) return found;
      found.push(claim.position);
    }
  };
  const giveBytes = async (key: typeof DEBIAN): Promise<void> => {
    await subject.index.putBelonging(key, digest('l'), 'given');
    await subject.index.putBlob({ digest: digest('l'), size: 1 }, 1);
  };
  const named = (key: typeof DEBIAN, name: string): string => `${key.repository} ${digest(name)}`;

  it('lets claims wait if the same upstream has given their bytes, the newest manifest’s first', async () => {
    const { index } = subject;
    for (const name of ['one', 'two', 'three']) await index.putBelonging(ALPINE, digest(name), 'given');
    await index.putBelonging(OTHER_ALPINE, digest('theirs'), 'given');
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'one'), edge('layer', 'two')]);
    const later = ['three', 'theirs', 'not here'].map((name) => edge('layer', name));
    await index.putManifest(DEBIAN, manifest('n'), [...later, edge('subject', 'one')]);
    expect(await index.waitingClaims('docker.io', 100)).toBe(3);
    for (const limit of [0, 2, 3]) expect(await index.waitingClaims('docker.io', limit)).toBe(limit);
    expect(await index.waitingClaims('ghcr.io', 100)).toBe(0);
    expect(await positions()).toHaveLength(3);
    expect(await positions()).toEqual((await positions()).toSorted((a, b) => b - a));
    const [first, ...rest] = await waiting();
    expect(first).toBe(named(DEBIAN, 'three'));
    expect(rest.toSorted()).toEqual([named(DEBIAN, 'one'), named(DEBIAN, 'two')].toSorted());
    expect(await index.waitingClaims('docker.io', 100)).toBe(0);
    expect(await index.standing(DEBIAN, digest('one'))).toMatchObject({ source: 'claimed' });
  });

  it('moves a waiting claim to the front when a manifest names its digest again', async () => {
    const { index } = subject;
    for (const name of ['one', 'two']) await index.putBelonging(ALPINE, digest(name), 'given');
    for (const name of ['one', 'two', 'one']) {
      await index.putManifest(DEBIAN, manifest(`m ${name}`), [edge('layer', name)]);
    }
    expect(await waiting()).toEqual([named(DEBIAN, 'one'), named(DEBIAN, 'two')]);
  });

  it('lets a claim wait as soon as its bytes are given to another repository', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    await index.putBelonging(OTHER_ALPINE, digest('l'), 'given');
    expect(await index.waitingClaims('docker.io', 100)).toBe(0);
    await index.putBelonging(ALPINE, digest('l'), 'given');
    expect(await waiting()).toEqual([named(DEBIAN, 'l')]);
    await index.putManifest(ALPINE, manifest('child'), []);
    await index.putManifest(DEBIAN, manifest('index'), [edge('manifest', 'child')]);
    expect(await waiting()).toEqual([named(DEBIAN, 'child')]);
  });

  it.each([
    ['given to another repository', (index) => index.putBelonging(ALPINE, digest('l'), 'given')],
    ['given through no repository alone', (index) => index.putOrigin('docker.io', digest('l'))],
    ['given as a manifest', (index) => index.putManifest(ALPINE, manifest('l'), [])],
  ] satisfies [string, (index: Subject['index']) => Promise<void>][])(
    'lets the claims of any number of repositories wait from when their bytes are %s',
    async (_, give) => {
      const { index } = subject;
      for (let number = 0; number < 1500; number++) {
        const key = repositoryKey('docker.io', `acme/app-${number}`);
        await index.putManifest(key, manifest('m'), [edge('layer', 'l')]);
      }
      await index.putManifest(OTHER_ALPINE, manifest('m'), [edge('layer', 'l')]);
      await give(index);
      expect(await index.waitingClaims('docker.io', 2000)).toBe(1500);
      expect(await index.waitingClaims('ghcr.io', 2000)).toBe(0);
    },
  );

  it('tells of a waiting claim whether it is a manifest, and its size while it is stored', async () => {
    const { index } = subject;
    await index.putManifest(ALPINE, manifest('child'), [], { stored: { usedAt: 1 } });
    await index.putManifest(DEBIAN, manifest('index'), [edge('manifest', 'child')]);
    expect(await index.waitingClaim('docker.io')).toEqual({
      key: DEBIAN,
      digest: digest('child'),
      isManifest: true,
      size: 500,
      position: expect.any(Number),
    });
    await index.loseBlob(digest('child'));
    expect(await index.waitingClaim('docker.io')).toMatchObject({ size: undefined });
  });

  it('tells no size if the bytes have gone and only another upstream has given them again', async () => {
    const { index } = subject;
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    await giveBytes(ALPINE);
    expect(await index.waitingClaim('docker.io')).toMatchObject({ size: 1 });
    await index.deleteBlob(digest('l'));
    await giveBytes(OTHER_ALPINE);
    expect(await index.waitingClaim('docker.io')).toMatchObject({ digest: digest('l'), size: undefined });
    await giveBytes(ALPINE);
    expect(await index.waitingClaim('docker.io')).toMatchObject({ size: 1 });
  });

  it('lets no claim wait that is confirmed, dropped or removed', async () => {
    const { index } = subject;
    const names = ['confirmed', 'given', 'dropped', 'taken'];
    for (const name of names) await index.putBelonging(ALPINE, digest(name), 'given');
    await index.putManifest(
      DEBIAN,
      manifest('m'),
      names.map((name) => edge('layer', name)),
    );
    expect(await index.waitingClaims('docker.io', 100)).toBe(4);
    await index.putBelonging(DEBIAN, digest('confirmed'), 'confirmed');
    await index.putBelonging(DEBIAN, digest('given'), 'given');
    await index.dropClaim(DEBIAN, digest('dropped'));
    await index.deleteBelonging(DEBIAN, digest('taken'));
    expect(await index.waitingClaims('docker.io', 100)).toBe(0);
    await index.putManifest(
      DEBIAN,
      manifest('n'),
      names.slice(0, 2).map((name) => edge('layer', name)),
    );
    expect(await index.waitingClaims('docker.io', 100)).toBe(0);
  });
}
