import { describe, expect, it } from 'vitest';
import type { IngestOptions } from './blob-store.ts';
import { ExpectationError, StoreError } from './error.ts';
import { SpooledIngest } from './ingest.ts';
import type { Source, Spool } from './spool.ts';
import {
  DIGEST,
  errorOf,
  EXPECTED,
  HELLO,
  isPending,
  readThrough,
  turns,
} from './store-under-test.contract.ts';

const EIO = new StoreError('read', { code: 'EIO' });

/** A spool that does nothing, and takes some turns of the event loop to be discarded. */
class SlowSpool implements Spool {
  isDiscarded = false;
  readonly #failing: Partial<Spool>;

  /** @param failing methods that replace the spool's own */
  constructor(failing: Partial<Spool> = {}) {
    this.#failing = failing;
  }

  append: Spool['append'] = async (...args) => this.#failing.append?.(...args);
  publish: Spool['publish'] = async (...args) => this.#failing.publish?.(...args);
  quarantine: Spool['quarantine'] = async (...args) => this.#failing.quarantine?.(...args);

  async open(): Promise<Source> {
    if (this.#failing.open === undefined) throw new Error('there is nothing to read');
    return this.#failing.open();
  }

  async discard(): Promise<void> {
    await turns(5);
    this.isDiscarded = true;
  }
}

async function begin(failing: Partial<Spool>, options: IngestOptions = EXPECTED) {
  const spool = new SlowSpool(failing);
  return { spool, ingest: await SpooledIngest.begin(options, async () => spool) };
}

describe('a failed ingest has discarded its bytes before it reports the failure', () => {
  it('if they cannot be written', async () => {
    const { spool, ingest } = await begin({ append: () => Promise.reject(EIO) });
    await expect(ingest.write([HELLO])).rejects.toBe(EIO);
    expect(spool.isDiscarded).toBe(true);
  });

  it('if the commit expects other bytes', async () => {
    const { spool, ingest } = await begin({});
    await ingest.write([HELLO]);
    await expect(ingest.commit({ size: 1 })).rejects.toThrow(ExpectationError);
    expect(spool.isDiscarded).toBe(true);
  });

  it('if they must be read once more and cannot be', async () => {
    const { spool, ingest } = await begin({ open: () => Promise.reject(EIO) }, {});
    await ingest.write([HELLO]);
    await expect(ingest.commit({ digest: `sha512:${'0'.repeat(128)}` as typeof DIGEST })).rejects.toBe(EIO);
    expect(spool.isDiscarded).toBe(true);
  });

  it('if they cannot be published', async () => {
    const { spool, ingest } = await begin({ publish: () => Promise.reject(EIO) });
    await ingest.write([HELLO]);
    await expect(ingest.commit()).rejects.toBe(EIO);
    expect(spool.isDiscarded).toBe(true);
  });

  it('if they are wrong and cannot be set aside', async () => {
    const { spool, ingest } = await begin({ quarantine: () => Promise.reject(EIO) }, { digest: DIGEST });
    await ingest.write([HELLO.subarray(1)]);
    await expect(ingest.commit()).rejects.toThrow('the bytes have the digest');
    expect(spool.isDiscarded).toBe(true);
  });

  it('if it is aborted', async () => {
    const { spool, ingest } = await begin({});
    await ingest.abort(EIO);
    expect(spool.isDiscarded).toBe(true);
  });
});

it('a follower that comes as the ingest ends gets the reason of the end, and not the error of its file', async () => {
  const opening = Promise.withResolvers<Source>();
  const { ingest } = await begin({ open: () => opening.promise });
  const following = ingest.follow();
  const reason = new Error('upstream is gone');
  const aborted = ingest.abort(reason);
  opening.reject(new StoreError('open', { code: 'ENOENT' }));
  await expect(following).rejects.toBe(reason);
  await aborted;
});

it('a follower that comes while bytes arrive gets the error if they cannot be read', async () => {
  const { ingest } = await begin({ open: () => Promise.reject(EIO) });
  await expect(ingest.follow()).rejects.toBe(EIO);
  await ingest.abort(EIO);
});

/** Bytes of a spool that are in memory. */
function sourceOf(bytes: Buffer): Source {
  return {
    fd: undefined,
    read: async (into, position) => bytes.copy(into, 0, position, position + into.length),
    close: async () => undefined,
  };
}

describe('while verified bytes are being published', () => {
  async function beginPublishing() {
    const publishing = Promise.withResolvers<void>();
    const publish = (): Promise<void> => publishing.promise;
    const begun = await begin({ publish, open: async () => sourceOf(HELLO) });
    const early = await begun.ingest.follow();
    await begun.ingest.write([HELLO]);
    return { ...begun, early, publishing, commit: begun.ingest.commit() };
  }

  it('followers get all of them, also one that comes now', async () => {
    const { ingest, early, commit, publishing } = await beginPublishing();
    expect(await readThrough(early)).toEqual(HELLO);
    expect(await readThrough(await ingest.follow())).toEqual(HELLO);
    expect(await isPending(commit)).toBe(true);
    publishing.resolve();
    expect(await commit).toEqual(EXPECTED);
  });

  it('an abort waits, and changes nothing', async () => {
    const { ingest, spool, commit, publishing } = await beginPublishing();
    const aborted = ingest.abort(EIO);
    expect(await isPending(aborted)).toBe(true);
    publishing.resolve();
    await aborted;
    expect([await commit, spool.isDiscarded]).toEqual([EXPECTED, false]);
  });

  it('a failure discards them, and is what a later follower gets; the earlier ones get all of them', async () => {
    const { ingest, spool, early, commit, publishing } = await beginPublishing();
    publishing.reject(EIO);
    expect([await errorOf(commit), spool.isDiscarded]).toEqual([EIO, true]);
    expect(await readThrough(early)).toEqual(HELLO);
    expect([await errorOf(ingest.follow()), await errorOf(ingest.commit())]).toEqual([EIO, EIO]);
  });
});
