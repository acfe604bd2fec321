import * as fc from 'fast-check';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import type { Ingest, IngestOptions } from './blob-store.ts';
import type { DirectWriting, WritableFile } from './capabilities.ts';
import { VerificationError } from './error.ts';
import {
  collect,
  DIGEST,
  errorOf,
  EXPECTED,
  expectSetAside,
  HELLO,
  isPending,
  openAndRead,
  put,
  readThrough,
  WRONG,
  type StoreSubject,
} from './store-under-test.contract.ts';

/** An ingest with its file open. Disposing closes the file, and aborts the ingest if the test has not ended it. */
class OpenIngest implements AsyncDisposable {
  readonly ingest: Ingest;
  readonly direct: DirectWriting;
  readonly file: WritableFile;

  private constructor(ingest: Ingest, direct: DirectWriting, file: WritableFile) {
    this.ingest = ingest;
    this.direct = direct;
    this.file = file;
  }

  static async begin({ store }: StoreSubject, options: IngestOptions): Promise<OpenIngest> {
    const ingest = await store.ingest(options);
    const direct = ingest.direct!;
    return new OpenIngest(ingest, direct, await direct.open());
  }

  /** Writes as another thread would: the store learns of the bytes only by `advance`. */
  write(bytes: Uint8Array): void {
    writeSync(this.file.fd, bytes, 0, bytes.byteLength, this.ingest.offset);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
    await this.ingest[Symbol.asyncDispose]();
  }
}

/** Tests what every store's `Ingest.direct` does. */
export function describeDirectWriting(subject: StoreSubject): void {
  const begin = (options: IngestOptions = EXPECTED): Promise<OpenIngest> =>
    OpenIngest.begin(subject, options);

  it('gives followers all reported bytes but the last one', async () => {
    await using open = await begin();
    const reader = await open.ingest.follow();
    open.write(HELLO);
    expect(await isPending(reader.available(0))).toBe(true);
    await open.direct.advance(5);
    expect([open.ingest.offset, await reader.available(0)]).toEqual([5, 5]);
    await open.direct.advance(HELLO.byteLength - 5, DIGEST);
    expect(await reader.available(5)).toBe(HELLO.byteLength - 1);
    expect(await open.ingest.commit()).toEqual(EXPECTED);
    expect(await readThrough(reader)).toEqual(HELLO);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
    await reader.close();
  });

  it('takes bytes that another thread writes and hashes', async () => {
    await using open = await begin({});
    const worker = new Worker(WRITER, { eval: true, workerData: { fd: open.file.fd, bytes: HELLO } });
    const [hex] = (await once(worker, 'message')) as [string];
    await worker.terminate();
    await open.direct.advance(HELLO.byteLength, `sha256:${hex}` as typeof DIGEST);
    expect(await open.ingest.commit({ digest: DIGEST })).toEqual(EXPECTED);
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it('hashes bytes that its writer has not hashed', async () => {
    await using open = await begin();
    open.write(HELLO);
    await open.direct.advance(HELLO.byteLength);
    expect(await open.ingest.commit()).toEqual(EXPECTED);
  });

  it('reads bytes again that its writer has hashed by another algorithm', async () => {
    const digest = digestOf(HELLO, 'sha512');
    await using open = await begin({});
    open.write(HELLO);
    await open.direct.advance(HELLO.byteLength, digestOf('not looked at'));
    expect(await open.ingest.commit({ digest })).toEqual({ digest, size: HELLO.byteLength });
  });

  it('trusts its writer’s digest, and hashes nothing twice', async () => {
    await using open = await begin();
    open.write(WRONG);
    await open.direct.advance(WRONG.byteLength, DIGEST);
    expect(await open.ingest.commit()).toEqual(EXPECTED);
    await subject.store.delete(DIGEST);
  });

  it('trusts its writer only for the bytes that it has hashed', async () => {
    await using open = await begin();
    open.write(WRONG.subarray(0, 5));
    await open.direct.advance(5, DIGEST);
    await open.ingest.write([WRONG.subarray(5)]);
    expect(await errorOf(open.ingest.commit())).toBeInstanceOf(VerificationError);
  });

  it.each<[string, Uint8Array, number, typeof DIGEST | undefined, RegExp]>([
    ['the writer reports another digest', HELLO, 13, digestOf(WRONG), /the bytes have the digest/],
    ['the bytes are wrong', WRONG, 13, undefined, /the bytes have the digest/],
    ['the writer reports too few bytes', HELLO, 12, undefined, /12 of the expected 13 bytes/],
    [
      'fewer bytes were written than reported',
      HELLO.subarray(0, 12),
      13,
      DIGEST,
      /12 bytes were written instead of 13/,
    ],
    [
      'more bytes were written than reported',
      Buffer.concat([HELLO, HELLO]),
      13,
      DIGEST,
      /26 bytes were written/,
    ],
  ])('commits nothing if %s', async (_case, bytes, told, digest, message) => {
    await using open = await begin();
    const reader = await open.ingest.follow();
    open.write(bytes);
    await open.direct.advance(told, digest);
    const error = (await errorOf(open.ingest.commit())) as Error;
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.message).toMatch(message);
    expect(await errorOf(reader.available(0))).toBe(error);
    expect(await collect(subject.store.list())).toEqual([]);
    await expectSetAside(subject, 1);
    await reader.close();
  });

  it('refuses reports of more bytes than the expected size', async () => {
    await using open = await begin();
    const error = await errorOf(open.direct.advance(HELLO.byteLength + 1));
    expect(error).toBeInstanceOf(VerificationError);
    expect(open.ingest.offset).toBe(0);
    expect(await errorOf(open.direct.advance(1))).toBe(error);
    expect(await errorOf(open.direct.open())).toBe(error);
    expect(await errorOf(open.ingest.commit())).toBe(error);
  });

  it('has a descriptor that no other file gets while its writer goes on', async () => {
    await using open = await begin();
    await open.ingest.abort(new Error('nobody wants it'));
    await using other = await subject.store.ingest(EXPECTED);
    const another = await other.direct!.open();
    open.write(WRONG);
    expect(another.fd).not.toBe(open.file.fd);
    await another.close();
    await other.write([HELLO]);
    await other.commit();
    expect(await openAndRead(subject.store, HELLO)).toEqual(HELLO);
  });

  it('ends with the ingest', async () => {
    await using committed = await begin();
    await committed.ingest.write([HELLO]);
    await committed.ingest.commit();
    await expect(committed.direct.open()).rejects.toThrow('has ended');
    await expect(committed.direct.advance(0)).rejects.toThrow('has ended');
    await put(subject.store, WRONG);
  });

  it('can be mixed with writing through the store, in any order', async () => {
    const piece = fc.record({
      bytes: fc.uint8Array({ maxLength: 300 }),
      isDirect: fc.boolean(),
      isHashed: fc.boolean(),
    });
    const algorithms = fc.constantFrom('sha256', 'sha512');
    const property = fc.asyncProperty(
      fc.array(piece, { maxLength: 8 }),
      algorithms,
      async (pieces, algorithm) => {
        await using open = await begin({ algorithm });
        const reader = await open.ingest.follow();
        const reading = readThrough(reader, 100);
        let all = Buffer.alloc(0);
        for (const { bytes, isDirect, isHashed } of pieces) {
          all = Buffer.concat([all, bytes]);
          if (!isDirect) {
            await open.ingest.write([bytes]);
            continue;
          }
          open.write(bytes);
          await open.direct.advance(bytes.length, isHashed ? digestOf(all, algorithm) : undefined);
        }
        const digest = digestOf(all, algorithm);
        expect(await open.ingest.commit({ digest })).toEqual({ digest, size: all.length });
        expect(await reading).toEqual(all);
        await reader.close();
        await subject.store.delete(digest);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  }, 60_000);
}

const WRITER = `
  const { createHash } = require('node:crypto');
  const { writeSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  writeSync(workerData.fd, workerData.bytes, 0, workerData.bytes.byteLength, 0);
  parentPort.postMessage(createHash('sha256').update(workerData.bytes).digest('hex'));`;
