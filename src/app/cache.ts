import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { recoveredPolicy } from './recovered-policy.ts';
import { rememberIndex, type RememberingIndex } from '../index/decorators/remembering-index.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { freeBytesOf } from '../store/capabilities.ts';
import { HeldStore } from '../store/held-store.ts';
import type { Parser } from '../upstream/registry/parsing/parser.ts';
import { tolerate } from '../tolerate.ts';
import { openCacheDirectory } from './cache-directory.ts';
import { assembleCache, type AssembledCache } from './assemble-cache.ts';
import type { RoutedUpstream } from './repositories.ts';

/** A cache with its directory. */
export interface Cache extends AssembledCache {
  readonly index: ContentIndex;
  /** Bytes free on the disk. Rejects when they cannot be told. */
  readonly freeBytes: () => Promise<number>;
}

export interface CacheDependencies {
  readonly clock: Clock;
  readonly events: Events;
  /** Syncs of files and directories at the same time. Default: 1. */
  readonly syncs?: number;
  /** As in SqliteIndexOptions. */
  readonly busyTimeoutMs?: number;
  /** Absent: documents are read in this thread. */
  readonly parser?: Parser;
}

/**
 * Pause in which the log writes the event before the upgrade blocks the process. It is measured in real time: the
 * clock's timers do not keep the process alive, and nothing else does while the process starts.
 */
const LOG_WRITTEN_MS = 100;

/** @throws as `openCacheDirectory` does */
export async function openCache(
  config: Config,
  upstreams: readonly RoutedUpstream[],
  dependencies: CacheDependencies,
): Promise<Cache> {
  const { clock, events, syncs, busyTimeoutMs = 0 } = dependencies;
  let index: RememberingIndex | undefined;
  const threads = syncs === undefined ? {} : { syncs };
  const directory = await openCacheDirectory(
    { ...config.cache, ...threads },
    {
      clock,
      busyTimeoutMs,
      onUpgradeBegun(from, to) {
        events.emit({ kind: 'index-upgrade-begun', from, to });
        return wait(LOG_WRITTEN_MS);
      },
      onUpgrade: (from, to) => events.emit({ kind: 'index-upgraded', from, to }),
      onIndexReplaced(error, setAside) {
        index?.forgetAll();
        events.emit({ kind: 'index-replaced', error, setAside });
      },
    },
  );
  await using stack = new AsyncDisposableStack();
  stack.defer(() => directory.close());
  index = rememberIndex(directory.index);
  const store = new HeldStore(directory.store);
  const freeBytes = freeBytesOf(store);
  const cache = assembleCache({
    ...dependencies,
    upstreams,
    defaultUpstream: config.defaultUpstream,
    store,
    index,
    marks: config.cache,
    freeBytes,
    negativeTtlMs: config.negativeTtlMs,
    manifestMemoryBytes: config.cache.manifestMemory,
    blobMemoryBytes: config.cache.blobMemory,
    recovered: recoveredPolicy(upstreams),
    diskError: directory.error,
    uploads: join(config.cache.directory, 'uploads'),
    randomId,
  });
  stack.defer(() => cache.close());
  // This process has the directory to itself: no job of another one can run.
  await cache.jobs.restore();
  await tolerate(events, 'delete old uploads', () => cache.imports.sweep());
  const parts = stack.move();
  return { ...cache, index, freeBytes, close: () => parts.disposeAsync() };
}

/** Returns 64 random bits: too many to guess the id of a job, and few enough to type it. */
function randomId(): string {
  return randomBytes(8).toString('hex');
}
