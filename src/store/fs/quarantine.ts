import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { digestAlgorithm, digestHex, isDigest, type Digest } from '../../oci/digest.ts';
import type { QuarantineStats } from '../capabilities.ts';
import { syncDirectory } from './directory.ts';
import { attempt, attemptUnlessAbsent } from './io.ts';

/** Limits on what the quarantine keeps. */
export interface QuarantineLimits {
  readonly files: number;
  readonly bytes: number;
}

interface SetAside {
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
}

/**
 * The quarantine of one store. Lists its files again only if they may have changed, since eviction asks for them all
 * the time. Its methods throw StoreError.
 */
export class QuarantineFolder {
  readonly #directory: string;
  readonly #limits: QuarantineLimits;
  #lastStats: { readonly changedAt: bigint; readonly stats: Promise<QuarantineStats> } | undefined;

  constructor(directory: string, limits: QuarantineLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Counts the files. An operator may remove some at any time: the directory's modification time shows that. */
  async stats(): Promise<QuarantineStats> {
    const changedAt = await changeOf(this.#directory);
    if (this.#lastStats?.changedAt !== changedAt) {
      const stats = quarantineStats(this.#directory);
      stats.catch(() => {
        this.#lastStats = undefined;
      });
      this.#lastStats = { changedAt, stats };
    }
    return this.#lastStats.stats;
  }

  /** Moves a published file into quarantine. @returns whether there was such a file */
  setAside(path: string, name: string): Promise<boolean> {
    return this.#changing(() => quarantineFile(path, join(this.#directory, name), this.#limits));
  }

  /** Moves a file into quarantine that was never published. */
  setAsideUnpublished(path: string, name: string): Promise<void> {
    return this.#changing(async () => {
      const target = join(this.#directory, name);
      await attempt(`move bytes to ${target}`, () => rename(path, target));
      await trimQuarantine(this.#directory, this.#limits);
    });
  }

  /** Removes the oldest files until `bytes` bytes are gone. @returns how many bytes are gone */
  drop(bytes: number): Promise<number> {
    return this.#changing(() => dropOldest(this.#directory, bytes));
  }

  /** Makes a change and lists again after it: the directory's time is too coarse to show each of two quick changes. */
  async #changing<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } finally {
      this.#lastStats = undefined;
    }
  }
}

/** Returns the file name in quarantine: the digest that the bytes should have, and a unique part. */
export function quarantineNameOf(digest: Digest | undefined, unique: string): string {
  if (digest === undefined) return `unknown.${unique}`;
  return `${digestAlgorithm(digest)}-${digestHex(digest)}.${unique}`;
}

/** Returns the digest in such a name; undefined if it was unknown, or if an operator made the file. */
function digestOfName(name: string): Digest | undefined {
  const digest = name.replace(/\..*$/, '').replace('-', ':');
  return isDigest(digest) ? digest : undefined;
}

/** Moves a published file into quarantine, then trims. @returns whether there was such a file. Throws StoreError. */
async function quarantineFile(path: string, target: string, limits: QuarantineLimits): Promise<boolean> {
  const moved = await attemptUnlessAbsent(`move ${path} to ${target}`, async () => {
    await rename(path, target);
    return true;
  });
  if (moved === undefined) return false;
  // The file must not be back in its place after a power failure.
  await syncDirectory(dirname(path));
  await trimQuarantine(dirname(target), limits);
  return true;
}

/** Counts the files in quarantine. Throws StoreError. */
async function quarantineStats(directory: string): Promise<QuarantineStats> {
  const files = await listQuarantine(directory);
  const digests = new Set(files.map(({ path }) => digestOfName(basename(path))));
  digests.delete(undefined);
  return {
    blobs: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    digests: [...digests] as Digest[],
  };
}

/** Removes the oldest files until the rest fits the limits. Throws StoreError. */
async function trimQuarantine(directory: string, limits: QuarantineLimits): Promise<void> {
  for (const { path } of beyondLimits(await listQuarantine(directory), limits)) {
    await attempt(`delete ${path}`, () => rm(path, { force: true, recursive: true }));
  }
}

/** Removes the oldest files until `bytes` bytes are gone. @returns how many bytes are gone. Throws StoreError. */
async function dropOldest(directory: string, bytes: number): Promise<number> {
  const files = await listQuarantine(directory);
  let dropped = 0;
  for (const { path, size } of files.toSorted((a, b) => a.modifiedAt - b.modifiedAt)) {
    if (dropped >= bytes) break;
    await attempt(`delete ${path}`, () => rm(path, { force: true, recursive: true }));
    dropped += size;
  }
  return dropped;
}

/** Returns the files that exceed the limits if the newest are kept. */
export function beyondLimits<T extends Pick<SetAside, 'size' | 'modifiedAt'>>(
  files: readonly T[],
  limits: QuarantineLimits,
): readonly T[] {
  const newestFirst = files.toSorted((a, b) => b.modifiedAt - a.modifiedAt);
  let bytes = 0;
  const kept = newestFirst.findIndex((file, position) => {
    bytes += file.size;
    return position >= limits.files || bytes > limits.bytes;
  });
  return kept === -1 ? [] : newestFirst.slice(kept);
}

async function changeOf(directory: string): Promise<bigint> {
  const { mtimeNs } = await attempt(`stat ${directory}`, () => stat(directory, { bigint: true }));
  return mtimeNs;
}

async function listQuarantine(directory: string): Promise<readonly SetAside[]> {
  const names = await attempt(`list ${directory}`, () => readdir(directory));
  const files = await Promise.all(names.map((name) => describe(join(directory, name))));
  return files.filter((file) => file !== undefined);
}

async function describe(path: string): Promise<SetAside | undefined> {
  const stats = await attemptUnlessAbsent(`stat ${path}`, () => stat(path));
  return stats && { path, size: stats.size, modifiedAt: stats.mtimeMs };
}
