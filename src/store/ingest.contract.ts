import { expect, it } from 'vitest';
import type { Ingest } from './blob-store.ts';
import { VerificationError } from './error.ts';
import {
  collect,
  DIGEST,
  errorOf,
  EXPECTED,
  expectSetAside,
  HELLO,
  openAndRead,
  put,
  readThrough,
  turns,
  WRONG,
  type StoreSubject,
} from './store-under-test.contract.ts';

/** Tests how every implementation's ingest ends. */
export function describeEnd(subject: StoreSubject): void {
  const reason = new Error('nobody wants it');

  it('takes nothing after abort', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    await ingest.abort(reason);
    await ingest.abort(new Error('again'));
    expect(await errorOf(ingest.write([HELLO]))).toBe(reason);
    expect(await errorOf(ingest.commit())).toBe(reason);
    expect(await subject.store.stat(DIGEST)).toBeUndefined();
    expect(await subject.quarantined()).toBe(0);
  });

  it('may be aborted while a write runs', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    const write = errorOf(ingest.write([HELLO]));
    await ingest.abort(reason);
    expect(await write).toBe(reason);
    expect(await errorOf(ingest.commit())).toBe(reason);
  });

  it('is not undone by an abort after commit', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    await ingest.commit();
    await ingest.abort(reason);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it('is not undone by an abort during commit', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    const commit = ingest.commit();
    await ingest.abort(reason);
    expect(await commit).toEqual(EXPECTED);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it('commits once', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    expect(await Promise.all([ingest.commit(), ingest.commit()])).toEqual([EXPECTED, EXPECTED]);
    await expect(ingest.write([HELLO])).rejects.toThrow('has ended');
  });

  it('takes no bytes once commit has begun', async () => {
    await using ingest = await subject.store.ingest({ digest: DIGEST });
    await ingest.write([HELLO]);
    const commit = ingest.commit();
    await expect(ingest.write([HELLO])).rejects.toThrow('has ended');
    expect(await commit).toEqual(EXPECTED);
  });

  it('is verified once, and stored only by commit', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO]);
    expect(await Promise.all([ingest.verify(), ingest.verify()])).toEqual([EXPECTED, EXPECTED]);
    expect(await collect(subject.store.list())).toEqual([]);
    expect(await ingest.commit()).toEqual(EXPECTED);
    expect(await ingest.verify()).toEqual(EXPECTED);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it('takes no bytes once it is being verified', async () => {
    await using ingest = await subject.store.ingest({ digest: DIGEST });
    await ingest.write([HELLO]);
    const verification = ingest.verify();
    await expect(ingest.write([HELLO])).rejects.toThrow('has ended');
    expect(await verification).toEqual(EXPECTED);
    await ingest.commit();
  });

  it('is not stored if its bytes prove wrong before commit', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([WRONG]);
    const error = await errorOf(ingest.verify());
    expect(error).toBeInstanceOf(VerificationError);
    expect(await errorOf(ingest.commit())).toBe(error);
    expect(await collect(subject.store.list())).toEqual([]);
    await expectSetAside(subject, 1);
  });

  it.each([0, 1, 2, 3])(
    'is not stored if it is aborted %i turns after its verification began',
    async (delay) => {
      await using ingest = await subject.store.ingest(EXPECTED);
      await ingest.write([HELLO]);
      const verification = ingest.verify();
      await turns(delay);
      await ingest.abort(reason);
      expect(await verification).toEqual(EXPECTED);
      expect(await errorOf(ingest.commit())).toBe(reason);
      expect(await collect(subject.store.list())).toEqual([]);
    },
  );

  it('takes several chunks at once, in their order', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await ingest.write([HELLO.subarray(0, 2), new Uint8Array(), HELLO.subarray(2, 3)]);
    expect(ingest.offset).toBe(3);
    await ingest.write([]);
    await ingest.write([HELLO.subarray(3)]);
    await ingest.commit();
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it('takes none of several chunks that are too many together', async () => {
    await using ingest = await subject.store.ingest(EXPECTED);
    await expect(ingest.write([HELLO, HELLO.subarray(0, 1)])).rejects.toThrow('more than the expected');
    expect(await subject.store.stat(DIGEST)).toBeUndefined();
  });

  it.each([false, true])(
    'is aborted if it is disposed of without commit (verified: %s)',
    async (isVerified) => {
      let ended: Ingest;
      {
        await using ingest = await subject.store.ingest(EXPECTED);
        await ingest.write([HELLO]);
        if (isVerified) await ingest.verify();
        ended = ingest;
      }
      await expect(ended.commit()).rejects.toThrow(/given up/u);
      expect(await subject.store.stat(DIGEST)).toBeUndefined();
    },
  );
}

/** Tests that ingests of one digest do not disturb each other in any implementation. */
export function describeConcurrency(subject: StoreSubject): void {
  it('lets two ingests of one digest commit at once', async () => {
    const { store } = subject;
    await using one = await store.ingest(EXPECTED);
    await using two = await store.ingest(EXPECTED);
    const readers = [await one.follow(), await two.follow()];
    await one.write([HELLO.subarray(0, 4)]);
    await two.write([HELLO]);
    await one.write([HELLO.subarray(4)]);
    expect(await Promise.all([one.commit(), two.commit()])).toEqual([EXPECTED, EXPECTED]);
    expect(await collect(store.list())).toMatchObject([EXPECTED]);
    for (const reader of [...readers, await one.follow(), await two.follow()]) {
      expect(await readThrough(reader)).toEqual(HELLO);
      await reader.close();
    }
  });

  it('keeps committed bytes when a later ingest fails', async () => {
    const { store } = subject;
    await put(store, HELLO);
    await using late = await store.ingest(EXPECTED);
    await late.write([WRONG]);
    await expect(late.commit()).rejects.toThrow('the bytes have the digest');
    expect(await openAndRead(store, HELLO)).toEqual(HELLO);
  });

  it('does not disturb an open reader by a later commit', async () => {
    const { store } = subject;
    await put(store, HELLO);
    const reader = (await store.open(DIGEST))!;
    await put(store, HELLO);
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
  });

  it('keeps many blobs apart that arrive together', async () => {
    const blobs = Array.from({ length: 30 }, (_, number) => Buffer.alloc(1000 + number, `${number}`));
    await Promise.all(blobs.map((bytes) => put(subject.store, bytes)));
    expect(await Promise.all(blobs.map((bytes) => openAndRead(subject.store, bytes)))).toEqual(blobs);
    expect(await collect(subject.store.list())).toHaveLength(30);
  });
}
