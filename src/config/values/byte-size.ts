import { leaf, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

/** IEC 80000-13: kB is 1000 bytes, KiB 1024. `K`, `G` and `Gb` are ambiguous, so they are refused. */
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['PiB', 1024n ** 5n],
  ['TiB', 1024n ** 4n],
  ['GiB', 1024n ** 3n],
  ['MiB', 1024n ** 2n],
  ['KiB', 1024n],
  ['PB', 1000n ** 5n],
  ['TB', 1000n ** 4n],
  ['GB', 1000n ** 3n],
  ['MB', 1000n ** 2n],
  ['kB', 1000n],
  ['KB', 1000n],
  ['B', 1n],
  ['', 1n],
]);

const SIZE = /^(\d{1,16})(?:\.(\d{1,9}))?([A-Za-z]{0,3})$/;

const EXPECTED = 'a size such as 512MiB, 50GB or 1024';

/**
 * Reads `512MiB`, `50GB`, `1.5GiB`, `1024`. Computes exactly, and cuts off a fraction of a byte.
 * @returns bytes
 * @throws ValueError
 */
export function parseByteSize(text: string): number {
  const [, whole, fraction = '', unit = ''] = SIZE.exec(text) ?? [];
  const factor = UNITS.get(unit);
  if (whole === undefined || factor === undefined) throw new ValueError(EXPECTED);
  const bytes = (BigInt(whole + fraction) * factor) / 10n ** BigInt(fraction.length);
  if (bytes > Number.MAX_SAFE_INTEGER) throw new ValueError('a size below 8PiB');
  return Number(bytes);
}

/** The inverse of `parseByteSize`, in the unit with the fewest digits of a whole number: 1 073 741 824 → `1GiB`. */
export function formatByteSize(bytes: number): string {
  const exact = BigInt(bytes);
  let shortest = String(bytes);
  for (const [unit, factor] of UNITS) {
    const text = `${exact / factor}${unit}`;
    const isExact = exact > 0n && exact % factor === 0n;
    if (isExact && digitCount(text) < digitCount(shortest)) shortest = text;
  }
  return shortest;
}

function digitCount(text: string): number {
  return text.replaceAll(/\D/g, '').length;
}

/** @returns bytes */
export function byteSize(least = 0): Leaf<number> {
  const read = (value: unknown): number => {
    const bytes = readByteSize(value, EXPECTED);
    if (bytes < least) throw new ValueError(`a size of at least ${formatByteSize(least)}`);
    return bytes;
  };
  return leaf({ title: 'size', read, write: formatByteSize });
}

/** @returns bytes; undefined for `unlimited` */
export function byteSizeOrUnlimited(least: number): Leaf<number | undefined> {
  const read = (value: unknown): number | undefined => {
    if (value === 'unlimited') return undefined;
    const bytes = readByteSize(value, 'a size such as 512MiB or 50GB, or unlimited');
    if (bytes < least) throw new ValueError(`a size of at least ${formatByteSize(least)}, or unlimited`);
    return bytes;
  };
  const write = (bytes: number | undefined): string =>
    bytes === undefined ? 'unlimited' : formatByteSize(bytes);
  return leaf({ title: 'size or `unlimited`', read, write });
}

function readByteSize(value: unknown, expected: string): number {
  if (typeof value !== 'string' && typeof value !== 'number') throw new ValueError(expected);
  return parseByteSize(String(value));
}
