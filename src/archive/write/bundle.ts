import { setImmediate as nextTurn } from 'node:timers/promises';
import { createDigester, type Digest } from '../../oci/digest.ts';
import { TAR_BLOCK, TAR_END, tarHeader, tarPadding } from './tar-header.ts';

/** A file of a bundle: its bytes, or the digest by which the store has them. */
export interface BundleFile {
  readonly path: string;
  readonly size: number;
  readonly content: Uint8Array | Digest;
}

/** A piece of a bundle: bytes that were made for it, or a stored blob. */
export interface BundleSegment {
  /** Where it begins in the bundle. */
  readonly offset: number;
  readonly size: number;
  readonly content: Uint8Array | Digest;
}

/** A tar archive whose bytes are all known by their place, though it is nowhere as a file. */
export interface Bundle {
  /** Bytes. */
  readonly size: number;
  /** The same for two bundles only if all their bytes are the same. */
  readonly identity: Digest;
  /** In the order of their offsets, without gaps. */
  readonly segments: readonly BundleSegment[];
}

const ZEROS = new Uint8Array(TAR_BLOCK);

/** Files that are laid out in one turn of the event loop, which takes some milliseconds. */
const FILES_PER_TURN = 20;

/** Lays files out as a tar archive, in the given order. The same files always give the same bytes. */
export async function layOut(files: Iterable<BundleFile>): Promise<Bundle> {
  const segments: BundleSegment[] = [];
  const identity = createDigester('sha256');
  let offset = 0;
  let count = 0;
  function add(content: Uint8Array | Digest, size: number): void {
    if (size === 0) return;
    identity.update(typeof content === 'string' ? new TextEncoder().encode(content) : content);
    segments.push({ offset, size, content });
    offset += size;
  }
  for (const { path, size, content } of files) {
    const header = await tarHeader(path, size);
    add(header, header.length);
    add(content, size);
    add(ZEROS.subarray(0, tarPadding(size)), tarPadding(size));
    count += 1;
    if (count % FILES_PER_TURN === 0) await nextTurn();
  }
  add(TAR_END, TAR_END.length);
  return { size: offset, identity: identity.digest(), segments };
}

/** Finds the segment that holds a position. @returns its place in the list; -1 if the bundle ends before */
export function segmentAt({ segments, size }: Bundle, position: number): number {
  if (position >= size) return -1;
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((segments[middle]?.offset ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
