import type { RunningIngest } from '../store/held-store.ts';

/** Limits that the operator sets for the cache. Sizes in bytes. */
export interface Marks {
  /** Undefined: unlimited. */
  readonly maxSize: number | undefined;
  /** Bytes that must stay free on the disk; 0: no limit. */
  readonly minFree: number;
  /** Time without a use after which content goes, milliseconds; undefined: never. */
  readonly unusedForMs: number | undefined;
}

/** What the cache takes of the disk, in bytes. */
export interface DiskUse {
  readonly stored: number;
  readonly ingests: Iterable<RunningIngest>;
  /** Bytes free on the disk; undefined if unknown. */
  readonly free: number | undefined;
}

const MiB = 1024 ** 2;

/**
 * Limit on the room made ahead of a fill: only upstream says how long a blob is, and content that is in use should not
 * go because upstream says so. This much is enough: eviction ends before a fill has written it.
 */
const MAX_AHEAD = 1024 * MiB;

/** Less room than this counts as none: a fill would ask for it again and again. Bytes. */
const LEAST_ROOM = 64 * 1024;

/** Divisor: several fills together may take the place of half of what is stored. */
const SHARE_OF_SEVERAL = 2;

/** Bounds of what a fill writes before it asks again: the smaller the room, the more often. Bytes. */
const LEAST_SLICE = MiB;
const MAX_SLICE = 16 * MiB;

/**
 * Returns where eviction begins (`high`) and ends (`low`), in bytes. Both lie below the cap, so that the store stays
 * below the cap when fills end during an eviction. They lie apart, so that not every fill begins an eviction.
 */
export function waterMarks(maxSize: number): { readonly high: number; readonly low: number } {
  return {
    high: maxSize - Math.min(0.02 * maxSize, 512 * MiB),
    low: maxSize - Math.min(0.05 * maxSize, 2048 * MiB),
  };
}

/** Returns how many bytes have to go so that the store fits its cap; 0 while it does. */
export function bytesOverCap({ maxSize }: Marks, use: DiskUse, isEvicting: boolean): number {
  if (maxSize === undefined) return 0;
  const { high, low } = waterMarks(maxSize);
  const wanted = use.stored + reservedBytes(use.ingests, maxSize);
  return wanted > (isEvicting ? low : high) ? wanted - low : 0;
}

/** Returns how many bytes have to go so that the disk keeps `minFree`, also when running fills end; 0 while it does. */
export function bytesUnderFree({ minFree }: Marks, { stored, ingests, free }: DiskUse): number {
  if (minFree === 0 || free === undefined) return 0;
  const slack = Math.min(0.05 * minFree, 256 * MiB);
  const missing = (coming: number): number => {
    const left = free - coming;
    return left < minFree ? minFree + slack - left : 0;
  };
  const ahead = missing(remainingBytes(ingests));
  // If the store cannot yield that much, it makes no room for what the fills have yet to write.
  if (ahead <= bytesToGive(stored, ingests)) return ahead;
  const now = missing(0);
  const takenByFills = Math.min(now, bytesWritten(ingests));
  // The fills themselves return the rest: they find no room for their next bytes, and go on past the store.
  return now - Math.max(0, takenByFills - bytesToGive(stored, ingests));
}

/**
 * Returns how many bytes have to go for a fill that found the disk full.
 * @param wanted bytes that the fill takes
 */
export function bytesForRoom(wanted: number, { stored, free = 0 }: DiskUse): number {
  if (wanted > stored + free) return 0;
  // With a full quota the disk still shows free bytes: some have to go all the same.
  return Math.max(wanted - free, Math.min(wanted, MiB));
}

/**
 * Returns how many bytes a fill may write before it must ask again. For a fill of known length that fits, eviction
 * makes room. A fill of unknown length gets a share of the present room: it may never end, and nothing is evicted for
 * it before it does. On the disk, all fills of unknown length together leave as much free as they take, as room for
 * others. Both kinds get their room in slices, since other fills write meanwhile.
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
 * Fills that have less to write come first, since they end sooner: the room for their remaining bytes is theirs.
 * Several fills together may replace half of what is stored, and leave the half that was used last; a single fill may
 * replace all of it. Each fill asks again and again, since others begin and end meanwhile.
 * @param remaining bytes that the fill has yet to write
 * @param left free bytes beyond those that must stay free
 */
function bytesOfKnownLength(remaining: number, left: number, { stored, ingests }: DiskUse): number {
  let ofShorter = 0;
  for (const { size, offset } of ingests) {
    if (size !== undefined && size - offset < remaining) ofShorter += Math.max(0, size - offset);
  }
  const room = left + (ofShorter === 0 ? stored : stored / SHARE_OF_SEVERAL);
  if (ofShorter + remaining > room) return 0;
  // Eviction has yet to free its part: until then, all fills together should not write more than is left.
  const part = Math.ceil(left / Math.max(1, [...ingests].length));
  return Math.min(slice(room), Math.max(part, LEAST_SLICE));
}

/**
 * Returns how many stored bytes may go for fills: several fills, or one of unknown length, which may never end, must
 * not replace what was used last.
 */
function bytesToGive(stored: number, ingests: Iterable<RunningIngest>): number {
  const unfinished = [...ingests].filter(({ size, offset }) => size === undefined || size > offset);
  const isOneOfKnownLength = unfinished.length === 1 && unfinished[0]?.size !== undefined;
  return unfinished.length === 0 || isOneOfKnownLength ? stored : stored / SHARE_OF_SEVERAL;
}

/** Returns how much of the room a fill may take before it asks again. */
function slice(room: number): number {
  return Number.isFinite(room) ? Math.min(Math.max(room / 64, LEAST_SLICE), MAX_SLICE) : room;
}

/**
 * Returns the bytes that running ingests of known length take and will soon take. Ingests of unknown length do not
 * count, since they take only room that is there. A blob larger than the cap goes as soon as it is read, so nothing
 * else need go for it. All ingests together count for at most half of the cap: clients may ask again for stored content
 * sooner than for the content of the ingests.
 */
function reservedBytes(ingests: Iterable<RunningIngest>, maxSize: number): number {
  let bytes = 0;
  for (const ingest of ingests) {
    if (ingest.size !== undefined && Math.max(ingest.size, ingest.offset) <= maxSize)
      bytes += ingest.offset + bytesAhead(ingest);
  }
  return Math.min(bytes, maxSize / 2);
}

/** Returns the bytes that running ingests have written so far. */
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
