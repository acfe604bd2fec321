import { expect, it } from 'vitest';
import type { Subject } from './content-index.contract.ts';
import { digest } from './content.contract.ts';

const NAMES = ['a', 'b', 'c'].map(digest);

/** Tests what every implementation does with leases. */
export function describeLeaseIndex(subject: Subject): void {
  it('last until their time, and no longer', async () => {
    const { index } = subject;
    expect(await index.leasedOf(NAMES, 0)).toEqual(new Set());
    await index.lease(NAMES.slice(0, 2), 1, 10);
    expect(await index.leasedOf(NAMES, 9)).toEqual(new Set(NAMES.slice(0, 2)));
    expect(await index.leasedOf(NAMES, 10)).toEqual(new Set());
  });

  it('are prolonged, and never cut short', async () => {
    const { index } = subject;
    await index.lease(NAMES, 1, 10);
    await index.lease(NAMES.slice(0, 1), 2, 20);
    await index.lease(NAMES, 3, 5);
    expect(await index.leasedOf(NAMES, 9)).toEqual(new Set(NAMES));
    expect(await index.leasedOf(NAMES, 19)).toEqual(new Set(NAMES.slice(0, 1)));
  });

  it('are forgotten once they have ended, when others begin', async () => {
    const { index } = subject;
    await index.lease(NAMES.slice(0, 1), 1, 10);
    await index.lease(NAMES.slice(1, 2), 11, 20);
    // The time before the first has ended is asked for: only a row that is still there can answer it.
    expect(await index.leasedOf(NAMES, 9)).toEqual(new Set(NAMES.slice(1, 2)));
  });

  it('count as a use of what is stored, and of nothing else', async () => {
    const { index } = subject;
    for (const each of NAMES) await index.putBlob({ digest: each, size: 1 }, 1);
    await index.lease(NAMES.slice(0, 1), 5, 10);
    const uses = await Promise.all(NAMES.map(async (each) => (await index.blob(each))?.usedAt));
    expect(uses).toEqual([5, 1, 1]);
  });

  it('are many', async () => {
    const { index } = subject;
    const many = Array.from({ length: 1_000 }, (_, number) => digest(`${number}`));
    await index.lease(many, 1, 10);
    expect((await index.leasedOf(many, 9)).size).toBe(1_000);
  });
}
