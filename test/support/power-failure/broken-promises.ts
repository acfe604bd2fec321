import { join } from 'node:path';
import {
  digestAlgorithm,
  digestHex,
  digestOf,
  type Digest,
  type DigestAlgorithm,
} from '../../../src/oci/digest.ts';
import { DiskAfterCrash, File, type Possibility } from './disk-after-crash.ts';
import type { LogEntry } from './disk-log.ts';

/** A message about a blob between a store and its caller, in either direction. */
export interface StoreMessage {
  /**
   * - `stored`: the blob is stored from now on
   * - `may go`: a change is about to remove or to write the blob
   * - `gone`: the blob was set aside and must never come back
   */
  readonly kind: 'stored' | 'may go' | 'gone';
  readonly digest: Digest;
}

const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/**
 * Lets the power fail after each entry of the log, in every way, and checks what is left.
 * @param root a directory, durable and empty when the log begins
 * @param directory the cache directory, at or below the root
 * @returns the possible faults, each with the first log entry after which it is possible
 */
export function brokenPromises(
  entries: readonly LogEntry<StoreMessage>[],
  { root, directory }: { readonly root: string; readonly directory: string },
): readonly string[] {
  const disk = new DiskAfterCrash(root);
  const promises = new Map<Digest, StoreMessage['kind']>();
  const found = new Map<string, number>();
  for (const [position, entry] of entries.entries()) {
    disk.apply(entry);
    if (entry.phase === 'told') promises.set(entry.message.digest, entry.message.kind);
    for (const problem of [
      ...wrongBytes(disk, directory),
      ...wrongLayout(disk, directory),
      ...broken(disk, directory, promises),
    ]) {
      if (!found.has(problem)) found.set(problem, position);
    }
  }
  return [...found].map(([problem, position]) => `${problem}, as of ${describe(entries, position)}`);
}

/** Checks that a file under a blob's name is the whole blob. */
function* wrongBytes(disk: DiskAfterCrash, directory: string): Generator<string> {
  for (const algorithm of ALGORITHMS) {
    const folder = join(directory, 'blobs', algorithm);
    for (const name of disk.names(folder)) {
      const digest = `${algorithm}:${name}` as Digest;
      const isRight = (content: Buffer): boolean => digestOf(content, algorithm) === digest;
      const files = disk.possible(join(folder, name));
      if (!files.every((file) => everyContent(file, isRight))) yield `${digest} may have other bytes`;
    }
  }
}

/** Checks the files that make the directory an OCI image layout, which are written only once. */
function* wrongLayout(disk: DiskAfterCrash, directory: string): Generator<string> {
  for (const name of ['oci-layout', 'index.json']) {
    const files = disk.possible(join(directory, name));
    if (!files.every((file) => everyContent(file, isJson))) yield `${name} may be broken`;
  }
}

function* broken(
  disk: DiskAfterCrash,
  directory: string,
  promises: ReadonlyMap<Digest, StoreMessage['kind']>,
): Generator<string> {
  for (const [digest, kind] of promises) {
    const files = disk.possible(join(directory, 'blobs', digestAlgorithm(digest), digestHex(digest)));
    if (kind === 'stored' && files.includes(undefined)) yield `${digest} may be missing`;
    if (kind === 'gone' && files.some((file) => file !== undefined)) yield `${digest} may be back`;
  }
}

function everyContent(file: Possibility, isRight: (content: Buffer) => boolean): boolean {
  return file === undefined || (file instanceof File && file.contents.every(isRight));
}

function isJson(content: Buffer): boolean {
  try {
    JSON.parse(content.toString());
    return true;
  } catch {
    return false;
  }
}

function describe(entries: readonly LogEntry<StoreMessage>[], position: number): string {
  const entry = entries[position]!;
  if (entry.phase === 'told') return `entry ${position} (told: ${entry.message.kind})`;
  const begun = entries.find((other) => other.phase === 'begin' && other.step === entry.step);
  const what = begun?.phase === 'begin' ? begun.change.kind : '?';
  return `entry ${position} (${entry.phase} of ${what})`;
}
