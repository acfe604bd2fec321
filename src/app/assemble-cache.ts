import { Api } from '../api/api.ts';
import { Uploads } from '../archive/upload/uploads.ts';
import { Evictor } from '../eviction/evictor.ts';
import { fillRoom } from '../eviction/fill-room.ts';
import type { Marks } from '../eviction/marks.ts';
import { Mirror, type MirrorOptions } from '../mirror/mirror.ts';
import { Exports } from '../operator/export/exports.ts';
import { Imports } from '../operator/import/imports.ts';
import { understoodName } from '../operator/import/understood-name.ts';
import { jobKinds, type JobKinds } from '../operator/jobs/job-kinds.ts';
import { Jobs } from '../operator/jobs/jobs.ts';
import { LocalOperator } from '../operator/local-operator.ts';
import type { RepositoryTable } from '../repository/repository-table.ts';
import type { HeldStore } from '../store/held-store.ts';
import { Upkeep } from '../upkeep/upkeep.ts';
import { version } from './version.ts';
import { findTarget, repositoriesOf, type RoutedUpstream } from './repositories.ts';

export interface CacheParts extends Omit<MirrorOptions, 'onFull' | 'room'> {
  readonly store: HeldStore;
  readonly marks: Marks;
  /** Bytes free on the disk. Rejects when they cannot be told. */
  readonly freeBytes: () => Promise<number>;
  readonly upstreams: readonly RoutedUpstream[];
  /** The name of the upstream for requests that name none. */
  readonly defaultUpstream: string;
  /** The folder of bundles that are uploaded. */
  readonly uploads: string;
  /** Makes the ids of jobs and uploads. */
  readonly randomId: () => string;
}

/** A cache, and everything that works on it. */
export interface AssembledCache {
  readonly mirror: Mirror;
  readonly repositories: RepositoryTable;
  readonly evictor: Evictor;
  readonly upkeep: Upkeep;
  readonly operator: LocalOperator;
  readonly jobs: Jobs<JobKinds>;
  readonly exports: Exports;
  readonly imports: Imports;
  readonly api: Api;
  /** Begins to confirm manifests' claims with upstreams in the background. */
  confirmEarly(): void;
  /** Ends the background work. The store and the index stay open: their opener closes them. */
  close(): Promise<void>;
}

/** Puts a cache together from its store, its index and its upstreams. Nothing runs until it is started. */
export function assembleCache(parts: CacheParts): AssembledCache {
  const { upstreams, defaultUpstream, marks } = parts;
  const room = fillRoom({ ...parts, onTight: () => evictor.wake() });
  const mirror = new Mirror({
    ...parts,
    onFull: (bytes) => evictor.makeRoom(bytes),
    room,
  });
  const evictor = new Evictor({
    ...parts,
    flushUses: () => mirror.flushUses(),
    onEvicted: (digest) => mirror.evicted(digest),
  });
  const repositories = repositoriesOf(mirror, upstreams, defaultUpstream);
  const upkeep = new Upkeep({ ...parts, mirror, findRepository: (key) => repositories.find(key) });
  const naming = { upstreams, defaultUpstream };
  const operator = new LocalOperator({ ...parts, mirror, naming, maxBytes: marks.maxSize });
  const exports = new Exports({ ...parts, repositories, naming });
  const imports = new Imports(
    {
      ...parts,
      room,
      maxBytes: marks.maxSize,
      nameOf: (text) => understoodName(text, { repositories, naming }),
      onImported: (key, digests) => mirror.imported(key, digests),
    },
    new Uploads({ ...parts, ...marks, directory: parts.uploads }),
  );
  const kinds = jobKinds({ ...parts, repositories, naming, upkeep, operator, exports, imports });
  const jobs = new Jobs({ ...parts, kinds });
  const api = new Api({
    ...parts,
    operator,
    jobs,
    imports,
    exports,
    version: version(),
    epoch: parts.randomId(),
  });
  return {
    mirror,
    repositories,
    evictor,
    upkeep,
    operator,
    jobs,
    exports,
    imports,
    api,
    confirmEarly() {
      const names = upstreams.map(({ name }) => name);
      mirror.confirmEarly(names, (key) => findTarget(upstreams, key));
    },
    async close() {
      api.close();
      await jobs.close();
      await evictor.close();
      await mirror.close();
    },
  };
}
