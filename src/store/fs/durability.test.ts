import * as fc from 'fast-check';
import { writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { brokenPromises, type StoreMessage } from '../../../test/support/power-failure/broken-promises.ts';
import { DiskLog, type Change, type LogEntry } from '../../../test/support/power-failure/disk-log.ts';
import type { Recording } from '../../../test/support/power-failure/recorded-files.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Ingest } from '../blob-store.ts';
import { VerificationError } from '../error.ts';
import { collect, put, readFrom } from '../store-under-test.contract.ts';
import { prepareDirectory } from './directory.ts';
import { openFileStore, type FileStore } from './file-store.ts';

const recording = vi.hoisted((): { current: Recording | undefined } => ({ current: undefined }));

vi.mock('node:fs/promises', async (original) => {
  const { recordingFiles } = await import('../../../test/support/power-failure/recorded-files.ts');
  return recordingFiles(await original(), () => recording.current);
});

const HELLO = Buffer.from('hello, layers');
const OTHER = Buffer.from('hello, others');

/** A store in a durable empty directory, with a log of all that it does there. */
class RecordedStore implements AsyncDisposable {
  readonly log = new DiskLog<StoreMessage>();
  readonly directory: string;
  readonly #root: TemporaryDirectory;
  #store: FileStore | undefined;

  constructor(root: TemporaryDirectory, path: string) {
    this.#root = root;
    this.directory = join(root.path, path);
    recording.current = { directory: root.path, log: this.log };
  }

  /** @param path of the cache directory, below the root */
  static async open(path = ''): Promise<RecordedStore> {
    const recorded = new RecordedStore(await temporaryDirectory('power'), path);
    await prepareDirectory(recorded.directory);
    recorded.#store = await openFileStore({ directory: recorded.directory });
    return recorded;
  }

  get store(): FileStore {
    return this.#store!;
  }

  broken(entries: readonly LogEntry<StoreMessage>[] = this.log.entries): readonly string[] {
    return brokenPromises(entries, { root: this.#root.path, directory: this.directory });
  }

  tell(kind: StoreMessage['kind'], bytes: Uint8Array): void {
    this.log.tell({ kind, digest: digestOf(bytes) });
  }

  /** Allows the blob, if it is gone, to be there or not from now on. A stored blob must stay stored. */
  async expect(bytes: Uint8Array): Promise<void> {
    if ((await this.store.stat(digestOf(bytes))) === undefined) this.tell('may go', bytes);
  }

  async put(bytes: Uint8Array): Promise<void> {
    await this.expect(bytes);
    await put(this.store, bytes);
    this.tell('stored', bytes);
  }

  /** Writes into the newest file, past the store. */
  async writeDirectly(fd: number, bytes: Buffer, position: number): Promise<void> {
    const created = this.log.entries.findLast(isCreation);
    const change = { kind: 'write', file: created!.change.file, position, bytes } as const;
    await this.log.during([change], async () => writeSync(fd, bytes, 0, bytes.length, position));
  }

  async quarantine(bytes: Uint8Array): Promise<void> {
    this.tell('may go', bytes);
    // If nothing is set aside, an earlier deletion may not be durable, so right bytes may come back.
    if (await this.store.quarantine.setAside(digestOf(bytes))) this.tell('gone', bytes);
  }

  async delete(bytes: Uint8Array): Promise<void> {
    this.tell('may go', bytes);
    await this.store.delete(digestOf(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    recording.current = undefined;
    await this.#root[Symbol.asyncDispose]();
  }
}

describe('whenever the power fails', () => {
  it('a blob is whole or not there, and there once it is stored', async () => {
    await using recorded = await RecordedStore.open();
    await recorded.put(HELLO);
    expect(recorded.broken()).toEqual([]);
  });

  it('a blob is whole or not there even in a cache directory that was just created with its parents', async () => {
    await using recorded = await RecordedStore.open('var/cache/larder');
    await recorded.put(HELLO);
    expect(recorded.broken()).toEqual([]);
  });

  it('a blob that takes several syncs is whole', async () => {
    await using recorded = await RecordedStore.open();
    const bytes = Buffer.alloc(16 * 1024 * 1024 + 1, 'a layer ');
    const ingest = await recorded.store.ingest({ digest: digestOf(bytes), size: bytes.length });
    for (let at = 0; at < bytes.length; at += 4 * 1024 * 1024) {
      await ingest.write([bytes.subarray(at, at + 4 * 1024 * 1024)]);
    }
    await ingest.commit();
    recorded.tell('stored', bytes);
    expect(recorded.log.entries.filter(isSyncOfFile).length).toBeGreaterThan(1);
    expect(recorded.broken()).toEqual([]);
  });

  it.each(['sha256', 'sha512'] as const)(
    'a blob whose %s digest is told last is whole',
    async (algorithm) => {
      await using recorded = await RecordedStore.open();
      const digest = digestOf(HELLO, algorithm);
      const ingest = await recorded.store.ingest({});
      await ingest.write([HELLO]);
      await ingest.commit({ digest });
      recorded.log.tell({ kind: 'stored', digest });
      expect(recorded.broken()).toEqual([]);
    },
  );

  it('a blob that another thread has written through its own descriptor is whole', async () => {
    await using recorded = await RecordedStore.open();
    const bytes = Buffer.alloc(16 * 1024 * 1024 + 1, 'a layer ');
    const ingest = await recorded.store.ingest({});
    const direct = ingest.direct!;
    const opened = await direct.open();
    for (const piece of [bytes.subarray(0, 16 * 1024 * 1024), bytes.subarray(16 * 1024 * 1024)]) {
      await recorded.writeDirectly(opened.fd, piece, ingest.offset);
      await direct.advance(piece.length);
    }
    await opened.close();
    await ingest.commit({ digest: digestOf(bytes) });
    recorded.tell('stored', bytes);
    // One sync while it was written, and one at the end.
    expect(recorded.log.entries.filter(isSyncOfFile).length).toBeGreaterThan(1);
    expect(recorded.broken()).toEqual([]);
  });

  it('a blob is whole or not there when a client has its last byte, and there once it is stored', async () => {
    await using recorded = await RecordedStore.open();
    const ingest = await recorded.store.ingest({ digest: digestOf(HELLO), size: HELLO.length });
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    await ingest.verify();
    expect(await readFrom(reader, 0, 4)).toEqual(HELLO);
    const served = recorded.log.entries.length;
    await ingest.commit();
    recorded.tell('stored', HELLO);
    await reader.close();
    // The client has waited for none of what makes the blob durable.
    expect(changesOf(recorded.log.entries.slice(served))).toEqual(['sync', 'rename', 'sync-directory']);
    expect(recorded.broken()).toEqual([]);
  });

  it('bytes that were set aside are not back, and a deletion loses no other blob', async () => {
    await using recorded = await RecordedStore.open();
    await recorded.put(HELLO);
    await recorded.put(OTHER);
    await recorded.quarantine(HELLO);
    await recorded.put(HELLO);
    await recorded.delete(OTHER);
    expect(recorded.broken()).toEqual([]);
  });
});

it('a blob whose name cannot be made durable is neither stored nor visible', async () => {
  await using recorded = await RecordedStore.open();
  const { store, log, directory } = recorded;
  log.refuse = ({ kind }) => (kind === 'sync-directory' ? eio() : undefined);
  const ingest = await store.ingest({ digest: digestOf(HELLO), size: HELLO.length });
  await ingest.write([HELLO]);
  const reader = await ingest.follow();
  await expect(ingest.commit()).rejects.toMatchObject({ name: 'StoreError', code: 'EIO' });
  expect(await store.stat(digestOf(HELLO))).toBeUndefined();
  expect(await collect(store.list())).toEqual([]);
  expect(await readdir(join(directory, 'ingest'))).toEqual([]);
  // Its bytes are right: a client that follows gets all of them.
  expect(await readFrom(reader, 0, 4)).toEqual(HELLO);
  await reader.close();
  log.refuse = () => undefined;
  await recorded.put(HELLO);
  expect(recorded.broken()).toEqual([]);
});

it('a cache directory whose name cannot be made durable is refused', async () => {
  await using recorded = await RecordedStore.open();
  recorded.log.refuse = ({ kind }) => (kind === 'sync-directory' ? eio() : undefined);
  const opening = prepareDirectory(join(recorded.directory, 'below'));
  await expect(opening).rejects.toMatchObject({ name: 'StoreError', code: 'EIO' });
});

describe('whenever the power fails, whatever the store was asked to do', () => {
  const blob = fc
    .record({ size: fc.constantFrom(0, 1, 13, 64 * 1024), name: fc.nat({ max: 1 }) })
    .map(({ size, name }) => Buffer.alloc(size, `layer ${name} `));
  const write = fc.record({
    bytes: blob,
    pieces: fc.integer({ min: 1, max: 3 }),
    isSizeKnown: fc.boolean(),
    /** Whether the digest is given at the beginning; else at the end, as a push does. */
    isDigestKnown: fc.boolean(),
    end: fc.constantFrom('commit', 'commit', 'abort', 'wrong'),
  });
  const removal = fc.record({ bytes: blob, kind: fc.constantFrom('delete', 'quarantine') });
  /** Writes run at the same time; removals follow one after the other when all writes have ended. */
  const round = fc.record({
    writes: fc.array(write, { maxLength: 4 }),
    removals: fc.array(removal, { maxLength: 2 }),
  });

  interface Write {
    readonly bytes: Buffer;
    readonly pieces: number;
    readonly isSizeKnown: boolean;
    readonly isDigestKnown: boolean;
    readonly end: string;
  }

  async function append(ingest: Ingest, { bytes, pieces }: Write): Promise<void> {
    const length = Math.ceil(bytes.length / pieces);
    for (let at = 0; at < bytes.length; at += length) await ingest.write([bytes.subarray(at, at + length)]);
  }

  async function play(recorded: RecordedStore, write: Write): Promise<void> {
    const { bytes, end, isSizeKnown, isDigestKnown } = write;
    const digest = end === 'wrong' ? digestOf('something else') : digestOf(bytes);
    const size = isSizeKnown ? bytes.length : undefined;
    const ingest = await recorded.store.ingest(isDigestKnown ? { digest, size } : { size });
    await append(ingest, write);
    if (end === 'abort') return ingest.abort(new Error('given up'));
    const commit = ingest.commit({ digest });
    if (end === 'wrong') {
      await commit.catch(unlessWrong);
      return;
    }
    await commit;
    recorded.tell('stored', bytes);
  }

  async function playRounds(
    recorded: RecordedStore,
    rounds: readonly { writes: readonly Write[]; removals: readonly { bytes: Buffer; kind: string }[] }[],
  ): Promise<void> {
    for (const { writes, removals } of rounds) {
      for (const { bytes, end } of writes) if (end === 'commit') await recorded.expect(bytes);
      await Promise.all(writes.map((write) => play(recorded, write)));
      for (const { bytes, kind } of removals) {
        await (kind === 'delete' ? recorded.delete(bytes) : recorded.quarantine(bytes));
      }
    }
  }

  it('no wrong bytes are there, and none are lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 3 }), async (rounds) => {
        await using recorded = await RecordedStore.open('cache');
        await playRounds(recorded, rounds);
        expect(recorded.broken()).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('no wrong bytes are there, and none are lost, even if the disk refuses any one of its changes', async () => {
    const distinct = fc.uniqueArray(write, {
      minLength: 1,
      maxLength: 3,
      selector: ({ bytes }) => digestOf(bytes),
    });
    await fc.assert(
      fc.asyncProperty(distinct, fc.nat({ max: 15 }), async (writes, refused) => {
        await using recorded = await RecordedStore.open();
        let left = refused;
        recorded.log.refuse = () => (left-- === 0 ? eio() : undefined);
        const ended = await Promise.allSettled(writes.map((write) => play(recorded, write)));
        expect(recorded.broken()).toEqual([]);
        // Only the operation that the refused change belongs to has failed.
        expect(ended.filter(({ status }) => status === 'rejected').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the check of a log of a store that does less', () => {
  let recorded: RecordedStore;

  beforeEach(async () => {
    recorded = await RecordedStore.open('cache');
    await recorded.put(HELLO);
    await recorded.put(OTHER);
    await recorded.quarantine(OTHER);
  });

  afterEach(async () => {
    await recorded[Symbol.asyncDispose]();
  });

  /** Returns the log without the changes that match. */
  function without(matches: (change: Change) => boolean): readonly LogEntry<StoreMessage>[] {
    const { entries } = recorded.log;
    const steps = new Set(
      entries.map((entry) => (entry.phase === 'begin' && matches(entry.change) ? entry.step : undefined)),
    );
    return entries.filter((entry) => entry.phase === 'told' || !steps.has(entry.step));
  }

  const isSyncOf =
    (...path: readonly string[]) =>
    (change: Change): boolean =>
      change.kind === 'sync-directory' && change.path === join(recorded.directory, ...path);

  it('without a file’s sync finds other bytes under its name', () => {
    const broken = recorded.broken(without(({ kind }) => kind === 'sync')).join('\n');
    expect(broken).toContain(`${digestOf(HELLO)} may have other bytes`);
    expect(broken).toContain('oci-layout may be broken');
  });

  it('without the sync of the blobs’ directory finds a stored blob missing, and a blob back that was set aside', () => {
    const broken = recorded.broken(without(isSyncOf('blobs', 'sha256'))).join('\n');
    expect(broken).toContain(`${digestOf(HELLO)} may be missing, as of`);
    expect(broken).toContain('(told: stored)');
    expect(broken).toContain(`${digestOf(OTHER)} may be back, as of`);
    expect(broken).toContain('(told: gone)');
  });

  it.each([[['blobs']], [['.']], [['..']]])('without the sync of %j finds a stored one missing', (path) => {
    const broken = recorded.broken(without(isSyncOf(...path))).join('\n');
    expect(broken).toContain(`${digestOf(HELLO)} may be missing`);
  });

  it('with a sync that began before the last write had ended finds other bytes', () => {
    const write = recorded.log.entries.find(isWriteOf(HELLO));
    const end = recorded.log.entries.find((entry) => entry.phase === 'end' && entry.step === write?.step);
    const { entries } = recorded.log;
    const late = [...entries.filter((entry) => entry !== end), end!];
    expect(recorded.broken(late).join('\n')).toContain(`${digestOf(HELLO)} may have other bytes`);
  });
});

function isWriteOf(bytes: Uint8Array) {
  return (entry: LogEntry<StoreMessage>): entry is Extract<LogEntry<StoreMessage>, { phase: 'begin' }> =>
    entry.phase === 'begin' &&
    entry.change.kind === 'write' &&
    Buffer.compare(entry.change.bytes, bytes) === 0;
}

function isCreation(
  entry: LogEntry<StoreMessage>,
): entry is Extract<LogEntry<StoreMessage>, { phase: 'begin' }> & { change: { kind: 'create' } } {
  return entry.phase === 'begin' && entry.change.kind === 'create';
}

function changesOf(entries: readonly LogEntry<StoreMessage>[]): string[] {
  return entries.flatMap((entry) => (entry.phase === 'begin' ? [entry.change.kind] : []));
}

function isSyncOfFile(entry: LogEntry<StoreMessage>): boolean {
  return entry.phase === 'begin' && entry.change.kind === 'sync';
}

function unlessWrong(error: unknown): void {
  if (!(error instanceof VerificationError)) throw error;
}

function eio(): Error {
  return Object.assign(new Error('i/o error'), { code: 'EIO' });
}
