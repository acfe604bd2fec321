import type { RunningIngest } from '../store/held-store.ts';

/** What the operator allows the cache to take. Sizes in bytes. */
export interface Marks {
  /** Undefined: unlimited. */
  readonly maxSize: number | undefined;
  /** What is to stay free on the disk; 0: nothing in particular. */
  readonly minFree: number;
  /** What nobody has used for this long goes, milliseconds; undefined: never. */
  readonly unusedForMs: number | undefined;
}

/** What the cache takes, in bytes. */
export interface DiskUse {
  readonly stored: number;
  readonly ingests: Iterable<RunningIngest>;
  /** On the disk; undefined where it cannot be told. */
  readonly free: number | undefined;
}

const MiB = 1024 ** 2;

/**
 * Room is made for no more than this of what a fill has yet to write: how long a blob is, is upstream's word, and
 * what is served should not go for a word. Eviction is done before a fill has written as much.
 */
const MAX_AHEAD = 1024 * MiB;

/** Less room than this is none: it would be asked for again and again. Bytes. */
const LEAST_ROOM = 64 * 1024;

/** Several fills together may take the place of this part of what is stored. */
const SHARE_OF_SEVERAL = 2;

/** A fill writes between these before it asks again: often where the disk is small. Bytes. */
const LEAST_SLICE = MiB;
const MAX_SLICE = 16 * MiB;

/**
 * Eviction begins at `high` and ends at `low`, both below the cap: so that fills that end meanwhile stay below it, and
 * so that not every one of them begins an eviction. Bytes.
 */
export function waterMarks(maxSize: number): { readonly high: number; readonly low: number } {
  return {
    high: maxSize - Math.min(0.02 * maxSize, 512 * MiB),
    low: maxSize - Math.min(0.05 * maxSize, 2048 * MiB),
  };
}

/** How many bytes have to go for the store to fit its cap; 0 while it does. */
export function bytesOverCap({ maxSize }: Marks, use: DiskUse, isEvicting: boolean): number {
  if (maxSize === undefined) return 0;
  const { high, low } = waterMarks(maxSize);
  const wanted = use.stored + reservedBytes(use.ingests, maxSize);
  return wanted > (isEvicting ? low : high) ? wanted - low : 0;
}

/** How many bytes have to go for enough to be free on the disk, also for what is being written; 0 while it is. */
export function bytesUnderFree({ minFree }: Marks, { stored, ingests, free }: DiskUse): number {
  if (minFree === 0 || free === undefined) return 0;
  const slack = Math.min(0.05 * minFree, 256 * MiB);
  const missing = (coming: number): number => {
    const left = free - coming;
    return left < minFree ? minFree + slack - left : 0;
  };
  const ahead = missing(remainingBytes(ingests));
  // Where that does not make room for what is coming, nothing of it need go for that.
  if (ahead <= bytesToGive(stored, ingests)) return ahead;
  const now = missing(0);
  const takenByFills = Math.min(now, bytesWritten(ingests));
  // What is beyond that, the fills give back: there is no room for what they write next, so they go past the store.
  return now - Math.max(0, takenByFills - bytesToGive(stored, ingests));
}

/**
 * How many bytes have to go for a fill that the disk was too full for.
 * @param wanted what the fill takes
 */
export function bytesForRoom(wanted: number, { stored, free = 0 }: DiskUse): number {
  if (wanted > stored + free) return 0;
  // A full quota shows no less free than the disk has: some have to go all the same.
  return Math.max(wanted - free, Math.min(wanted, MiB));
}

/**
 * How many bytes a fill may write before it has to ask again. One that fits is made room for by eviction. One of
 * unknown length gets its part of the room that there is: it may never end, and nothing goes for it before it has.
 * On the disk, all of those together leave as much free as they take: others have to find room beside them.
 * Both get it in slices, since others write meanwhile.
 */
export function bytesForFill(marks: Marks, use: DiskUse, fill: RunningIngest): number {
  const { maxSize = Number.POSITIVE_INFINITY, minFree } = marks;
  const { stored, free } = use;
  const left = free === undefined || minFree === 0 ? Number.POSITIVE_INFINITY : free - minFree;
  if (fill.size !== undefined) {
    return fill.size <= maxSize ? bytesOfKnownLength(fill.size - fill.offset, left, use) : 0;
  }
  const ingests = [...use.ingests];
  const sharers = Math.max(1, ingests.filter(({ size }) => size === undefined).length);
  const belowCap = maxSize - stored - bytesWritten(ingests);
  const onDisk =
    left - remainingBytes(ingests) - bytesWritten(ingests.filter(({ size }) => size === undefined));
  const room = Math.min(belowCap, onDisk) / sharers;
  return room < LEAST_ROOM ? 0 : Math.min(room, slice(room));
}

/**
 * Fills that have less to write come first, since they end sooner: what they are still to write is theirs. Several
 * together may take the place of half of what is stored, which leaves the half that was used last; one by itself may
 * take all of it. It is asked again and again, since others begin and end meanwhile.
 * @param remaining bytes that the fill has yet to write
 * @param left bytes that are free beyond what is to stay free
 */
function bytesOfKnownLength(remaining: number, left: number, { stored, ingests }: DiskUse): number {
  let first = 0;
  for (const { size, offset } of ingests) {
    if (size !== undefined && size - offset < remaining) first += Math.max(0, size - offset);
  }
  const room = left + (first === 0 ? stored : stored / SHARE_OF_SEVERAL);
  if (first + remaining > room) return 0;
  // What eviction is to free is not free yet: until it is, all of them together should not write more than is left.
  const part = Math.ceil(left / Math.max(1, [...ingests].length));
  return Math.min(slice(room), Math.max(part, LEAST_SLICE));
}

/**
 * What of the store may go for fills: neither several of them nor one of unknown length, which may never end, is to take
 * the place of what was used last.
 */
function bytesToGive(stored: number, ingests: Iterable<RunningIngest>): number {
  const unfinished = [...ingests].filter(({ size, offset }) => size === undefined || size > offset);
  const isOneOfKnownLength = unfinished.length === 1 && unfinished[0]?.size !== undefined;
  return unfinished.length === 0 || isOneOfKnownLength ? stored : stored / SHARE_OF_SEVERAL;
}

/** What a fill may write of so much room before it asks again. */
function slice(room: number): number {
  return Number.isFinite(room) ? Math.min(Math.max(room / 64, LEAST_SLICE), MAX_SLICE) : room;
}

/**
 * What running ingests take and will soon take, but for those of unknown length, which take what room there is. One that
 * never fits the cap goes as soon as it is read, so nothing else need go for it; and all together are not worth more than
 * half of what is there, of which some may be asked for again sooner.
 */
function reservedBytes(ingests: Iterable<RunningIngest>, maxSize: number): number {
  let bytes = 0;
  for (const ingest of ingests) {
    if (ingest.size !== undefined && Math.max(ingest.size, ingest.offset) <= maxSize)
      bytes += ingest.offset + bytesAhead(ingest);
  }
  return Math.min(bytes, maxSize / 2);
}

/** What running ingests have taken so far. */
export function bytesWritten(ingests: Iterable<RunningIngest>): number {
  let bytes = 0;
  for (const { offset } of ingests) bytes += offset;
  return bytes;
}

function remainingBytes(ingests: Iterable<RunningIngest>): number {
  let bytes = 0;
  for (const ingest of ingests) bytes += bytesAhead(ingest);
  return bytes;
}

function bytesAhead({ size = 0, offset }: RunningIngest): number {
  return Math.min(Math.max(0, size - offset), MAX_AHEAD);
}
