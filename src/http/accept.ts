import { MediaType } from '../oci/media-type.ts';
import { QUOTED_STRING, Scanner, TOKEN, headerLines, type HeaderLines } from './scanner.ts';

/** One member of Accept: `type/subtype`, `type/*` or `*\/*` in lower case, and its weight from 0 to 1. */
interface MediaRange {
  readonly range: string;
  readonly q: number;
}

/** The media types that a client accepts; empty: all. */
export type Accept = readonly MediaRange[];

const MAX_RANGES = 100;
const SEPARATORS = /[ \t,]*/y;
const RANGE = new RegExp(`(${TOKEN}/${TOKEN})[ \\t]*(?=[;,]|$)`, 'y');
const PARAMETER = new RegExp(`;[ \\t]*(?:(${TOKEN})(?:=(${TOKEN}|${QUOTED_STRING}))?)?[ \\t]*`, 'y');
/** Everything up to the next comma outside quotes; an unclosed quote takes the rest of the line with it. */
const REST = new RegExp(`(?:${QUOTED_STRING}|[^",])*(?:"[^]*)?`, 'y');

/**
 * Reads Accept from its lines (dockerd and podman send one line for each type, others a list). It skips members that it
 * cannot read, and ignores parameters other than `q`. It reads at most 100 members.
 */
export function parseAccept(header: HeaderLines): Accept {
  return headerLines(header).flatMap(parseLine).slice(0, MAX_RANGES);
}

/** Whether the client accepts `mediaType` (bare, lower case): the most specific member decides (RFC 9110 §12.5.1). */
export function accepts(accept: Accept, mediaType: string): boolean {
  if (accept.length === 0) return true;
  const [type] = mediaType.split('/', 1);
  for (const candidate of [mediaType, `${type}/*`, '*/*']) {
    const matching = accept.filter(({ range }) => range === candidate);
    if (matching.length > 0) return matching.some(({ q }) => q > 0);
  }
  return false;
}

const SINGLE_IMAGES: ReadonlySet<string> = new Set([
  MediaType.ociManifest,
  MediaType.dockerManifest,
  MediaType.dockerSchema1,
  MediaType.dockerSchema1Signed,
]);

/**
 * Whether the client asks for manifests of single images by name, and accepts no kind of index. Such a client cannot
 * choose a platform, and gets the image of linux/amd64, as from distribution.
 */
export function namesOnlySingleImages(accept: Accept): boolean {
  const namesOne = accept.some(({ range, q }) => q > 0 && SINGLE_IMAGES.has(range));
  return namesOne && !accepts(accept, MediaType.ociIndex) && !accepts(accept, MediaType.dockerList);
}

function parseLine(line: string): MediaRange[] {
  const scanner = new Scanner(line);
  const ranges: MediaRange[] = [];
  scanner.take(SEPARATORS);
  while (!scanner.isAtEnd) {
    const range = scanner.take(RANGE)?.[1]?.toLowerCase();
    if (range !== undefined) ranges.push({ range, q: takeWeight(scanner) });
    scanner.take(REST);
    scanner.take(SEPARATORS);
  }
  return ranges;
}

function takeWeight(scanner: Scanner): number {
  let weight = 1;
  for (let match = scanner.take(PARAMETER); match !== undefined; match = scanner.take(PARAMETER)) {
    if (match[1]?.toLowerCase() === 'q') weight = parseWeight(match[2] ?? '');
  }
  return weight;
}

/** Reads a weight; an unreadable one counts as absent, so as 1. */
function parseWeight(text: string): number {
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}
