import { describe, expect, it } from 'vitest';
import type { IngestOptions } from './blob-store.ts';
import { ExpectationError, StoreError } from './error.ts';
import { SpooledIngest } from './ingest.ts';
import type { Source, Spool } from './spool.ts';
import { DIGEST, EXPECTED, HELLO, turns } from './store-under-test.contract.ts';

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
