import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../events.ts';
import { IndexError } from '../index/error.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';
import { createMemoryStore } from '../store/memory.ts';
import { DiskHealth, isDiskError, type DiskHealthOptions } from './disk-health.ts';

const FULL = new StoreError('write', { code: 'ENOSPC' });
const READ_ONLY = new StoreError('write', { code: 'EROFS' });

interface World {
  readonly disk: DiskHealth;
  readonly clock: ManualClock;
  /** The error that the store fails with. */
  broken: Error | undefined;
  /** Number of probes. */
  probes: number;
  readonly changes: LarderEvent[];
  readonly wanted: number[];
  /** Moves the clock on, and waits for the work that this has started. */
  pass(ms: number): Promise<void>;
}

function start(options: Partial<DiskHealthOptions> = {}): World {
  const clock = new ManualClock();
  const events = createEvents();
  const changes: LarderEvent[] = [];
  events.subscribe((event) => changes.push(event));
  const memory = createMemoryStore();
  const wanted: number[] = [];
  const store: BlobStore = {
    ...memory,
    async ingest(expected) {
      world.probes += 1;
      if (world.broken !== undefined) throw world.broken;
      return memory.ingest(expected);
    },
  };
  const onFull = (bytes: number): unknown => wanted.push(bytes);
  const world: World = {
    disk: new DiskHealth({ store, clock, events, onFull, ...options }),
    clock,
    broken: undefined,
    probes: 0,
    changes,
    wanted,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 1_000) {
        clock.advance(1_000);
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
  return world;
}

describe('a disk', () => {
  it('can be written to at first', () => {
    const { disk, changes } = start();
    expect(disk.error).toBeUndefined();
    expect(disk.state).toEqual({ state: 'ok' });
    expect(changes).toEqual([]);
  });

  it('that fails is reported once, with the error and the time', async () => {
    const world = start();
    world.clock.advance(1_000);
    world.disk.failed(FULL, 10);
    world.clock.advance(1_000);
    world.disk.failed(READ_ONLY, 10);
    expect(world.disk.error).toBe(FULL);
    expect(world.disk.state).toEqual({
      state: 'failing',
      since: '2026-01-01T00:00:01.000Z',
      reason: 'cannot write: ENOSPC',
    });
    expect(world.changes).toEqual([{ kind: 'disk-changed', state: 'failing', error: FULL }]);
    await world.disk.close();
  });

  it('may be known to fail from the start', async () => {
    const { disk, changes } = start({ diskError: READ_ONLY });
    expect(disk.error).toBe(READ_ONLY);
    expect(changes).toHaveLength(1);
    await disk.close();
  });

  it('is probed every five seconds, until a probe succeeds', async () => {
    const world = start();
    world.broken = READ_ONLY;
    world.disk.failed(READ_ONLY, 10);
    await world.pass(4_000);
    expect(world.probes).toBe(0);
    await world.pass(12_000);
    expect(world.probes).toBe(3);
    expect(world.disk.error).toBe(READ_ONLY);
    world.broken = undefined;
    await world.pass(5_000);
    expect(world.disk.error).toBeUndefined();
    expect(world.changes.at(-1)).toEqual({ kind: 'disk-changed', state: 'ok' });
    await world.pass(60_000);
    expect(world.probes).toBe(4);
    expect(world.clock.pending).toBe(0);
  });

  it('that fails again right after a good probe is probed less and less often', async () => {
    const world = start();
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      world.disk.failed(FULL, 10);
      const before = world.clock.monotonic();
      while (world.disk.error !== undefined) await world.pass(1_000);
      waits.push(world.clock.monotonic() - before);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    await world.pass(61_000);
    world.disk.failed(FULL, 10);
    await world.pass(5_000);
    expect(world.disk.error).toBeUndefined();
  });

  it('leaves nothing of its probes behind', async () => {
    const memory = createMemoryStore();
    const world = start({ store: memory });
    world.disk.failed(FULL, 10);
    await world.pass(5_000);
    expect(world.disk.error).toBeUndefined();
    for await (const blob of memory.list()) expect(blob).toBeUndefined();
  });

  it.each([
    ['ENOSPC', FULL, [77]],
    ['EDQUOT', new StoreError('write', { code: 'EDQUOT' }), [77]],
    ['SQLITE_FULL', new IndexError('full', 'SQLITE_FULL'), [77]],
    ['EROFS', READ_ONLY, []],
  ])('asks for room if it is full: %s', async (_, error, expected) => {
    const { disk, wanted } = start();
    disk.failed(error, 77);
    expect(wanted).toEqual(expected);
    await disk.close();
  });

  it('asks for room again while it stays full', async () => {
    const world = start();
    world.broken = FULL;
    world.disk.failed(FULL, 77);
    await world.pass(10_000);
    expect(world.wanted).toEqual([77, 2 ** 20, 2 ** 20]);
    await world.disk.close();
  });

  it.each([
    ['a file that may not grow', new StoreError('write', { code: 'EFBIG' })],
    ['want of descriptors', new StoreError('open', { code: 'EMFILE' })],
    ['want of descriptors in all', new StoreError('open', { code: 'ENFILE' })],
    ['an index that is busy', new IndexError('busy', 'SQLITE_BUSY')],
    ['a row that is locked', new IndexError('locked', 'SQLITE_LOCKED')],
  ])('is not to blame for %s', (_, error) => {
    const { disk } = start();
    disk.failed(error, 10);
    expect(disk.error).toBeUndefined();
  });

  it.each([
    ['is read-only', READ_ONLY],
    ['fails for a reason of ours', Object.assign(new Error('a bug'), { code: 'ENOSPC' })],
  ])('that %s when it is probed is probed again, and asks for no room', async (_, broken) => {
    const world = start();
    world.broken = broken;
    world.disk.failed(READ_ONLY, 77);
    await world.pass(10_000);
    expect([world.probes, world.wanted]).toEqual([2, []]);
    await world.disk.close();
  });

  it('is probed with a MiB: there may be room for a few bytes and for nothing else', async () => {
    const written: number[] = [];
    const memory = createMemoryStore();
    const store: BlobStore = {
      ...memory,
      async ingest(expected) {
        const ingest = await memory.ingest(expected);
        ingest.write = async ([bytes]) => void written.push(bytes?.length ?? 0);
        return ingest;
      },
    };
    const world = start({ store });
    world.disk.failed(FULL, 10);
    await world.pass(5_000);
    expect(written).toEqual([2 ** 20]);
  });

  it('that fails again within a minute after a good probe is probed less often', async () => {
    const world = start();
    world.disk.failed(FULL, 10);
    await world.pass(65_000);
    world.disk.failed(FULL, 10);
    await world.pass(5_000);
    expect(world.disk.error).toBe(FULL);
    await world.pass(5_000);
    expect(world.disk.error).toBeUndefined();
  });

  it('whose probe fails after it is closed is not probed again', async () => {
    const failing = Promise.withResolvers<never>();
    const world = start({ store: { ...createMemoryStore(), ingest: () => failing.promise } });
    world.disk.failed(FULL, 10);
    await world.pass(5_000);
    const closing = world.disk.close();
    failing.reject(FULL);
    await closing;
    expect(world.clock.pending).toBe(0);
  });

  it('is not probed after it is closed', async () => {
    const world = start();
    world.disk.failed(FULL, 10);
    await world.disk.close();
    expect(world.clock.pending).toBe(0);
    await world.pass(10_000);
    expect(world.probes).toBe(0);
  });
});

it.each([
  [FULL, true],
  [new IndexError('full', 'SQLITE_FULL'), true],
  [new Error('full'), false],
  [undefined, false],
])('%s is the fault of the disk: %s', (error, expected) => {
  expect(isDiskError(error)).toBe(expected);
});
