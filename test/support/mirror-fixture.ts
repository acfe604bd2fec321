/**
 * Larder in this process: the real server on a free loopback port, the real store and index in a folder of their
 * own, real upstream clients to fake registries, and a clock that the test moves.
 *
 *     await using registry = await startFakeRegistry();
 *     await using mirror = await startMirror({ upstreams: [{ name: 'docker.io', registry, addLibrary: true }] });
 *     const { status, body } = await mirror.get('/v2/debian/manifests/12');
 *
 * Disposing asserts that nothing is left behind: no fill, no temporary file, no blob that is held or open, no timer, no
 * turn, connection or share of memory that is held or waited for.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Login } from '../../src/access/authentication.ts';
import type { Gate } from '../../src/access/gate.ts';
import { openAccess } from '../../src/app/access/access.ts';
import { assembleCache, type AssembledCache } from '../../src/app/assemble-cache.ts';
import { startServer } from '../../src/app/server.ts';
import type { TlsPaths } from '../../src/app/tls-files.ts';
import type { Mirror } from '../../src/mirror/mirror.ts';
import type { TagPolicy } from '../../src/mirror/tag-policy.ts';
import { rememberIndex, type RememberingIndex } from '../../src/index/decorators/remembering-index.ts';
import { knownRegistry } from '../../src/config/sections/known-registries.ts';
import { BufferShares } from '../../src/delivery/buffer-shares.ts';
import { chooseDelivery } from '../../src/delivery/choose.ts';
import { createEvents, type Events, type LarderEvent, type ServedRequest } from '../../src/events.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { ContentIndex } from '../../src/index/content-index.ts';
import type { RepositoryKey } from '../../src/index/repository-key.ts';
import type { Evictor } from '../../src/eviction/evictor.ts';
import type { Marks } from '../../src/eviction/marks.ts';
import type { Imports } from '../../src/operator/import/imports.ts';
import type { LocalOperator } from '../../src/operator/local-operator.ts';
import type { Upkeep } from '../../src/upkeep/upkeep.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { RepositoryTable } from '../../src/repository/repository-table.ts';
import { openSqliteIndex } from '../../src/index/sqlite/sqlite-index.ts';
import { Admission, type AdmissionLimits } from '../../src/server/admission.ts';
import type { ServerAddress } from '../../src/server/listening/bind.ts';
import type { ConnectionLimits } from '../../src/server/listening/connections.ts';
import type { Listening } from '../../src/server/listening/listen.ts';
import type { RoutedUpstream } from '../../src/app/repositories.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import { openFileStore } from '../../src/store/fs/file-store.ts';
import { HeldStore } from '../../src/store/held-store.ts';
import type { Breaker } from '../../src/upstream/protect/breaker.ts';
import { ConnectionsInUse } from '../../src/upstream/connections/connections-in-use.ts';
import { createUpstream } from '../../src/upstream/create-upstream.ts';
import { LargeBodies } from '../../src/upstream/transport/bodies/large-bodies.ts';
import { ThreadParser } from '../../src/upstream/registry/parsing/thread-parser.ts';
import { blobTurns, guardUpstream } from '../../src/upstream/protect/guard.ts';
import type { Network } from '../../src/upstream/connections/network.ts';
import { Passage } from '../../src/upstream/transport/passage.ts';
import { quirksOf } from '../../src/upstream/quirks.ts';
import type { UpstreamSettings } from '../../src/upstream/settings.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { accessSettings } from './access-settings.ts';
import type { FakeRegistry } from './fake-registry.ts';
import { get, open, type ReceivedAnswer, type RequestOptions } from './http-get.ts';
import { leftOver, notZero, openFiles } from './left-over.ts';
import { fixtureClock, type ManualClock } from './manual-clock.ts';
import { portOf } from './port-of.ts';
import { watchIndex } from './watched-index.ts';

interface MirroredRegistry {
  /** Its name for clients. The first upstream is the default one. */
  readonly name: string;
  readonly registry: Pick<FakeRegistry, 'url'>;
  readonly addLibrary?: boolean;
  readonly hosts?: readonly string[];
  readonly tags?: Partial<TagPolicy>;
  /** Whether all clients may read the same. Default: false. */
  readonly isOpen?: boolean;
  readonly checksReferences?: boolean;
  readonly isAllowed?: RoutedUpstream['isAllowed'];
  /** Settings of its client beyond the URL. */
  readonly client?: Partial<Pick<UpstreamSettings, 'ca' | 'timeouts' | 'credentials' | 'connections'>>;
  /** The network. Absent: the machine's. */
  readonly network?: Network;
  /** Whether every blob is read by the reader for large bodies, or none. Absent: those that a manifest says are large. */
  readonly isLarge?: boolean | undefined;
}

/** Bytes of manifests, and bytes of small blobs, that are kept in memory. */
const MEMORY = 1024 * 1024;

interface GuardedUpstream extends RoutedUpstream {
  readonly breaker: Breaker;
  /** Returns the numbers of its parts that are held or waited for, by their names. */
  readonly counts: () => Readonly<Record<string, number>>;
}

export interface MirrorFixtureOptions {
  readonly upstreams: readonly MirroredRegistry[];
  readonly negativeTtlMs?: number;
  readonly manifestMemoryBytes?: number;
  readonly blobMemoryBytes?: number;
  /** How far each reading moves the clock; 0: only the test moves it. Absent: as the run says. */
  readonly msPerReading?: number;
  /** The cache directory of an earlier fixture, which the test itself removes. */
  readonly directory?: string;
  readonly limits?: AdmissionLimits;
  /** The most connections, in all and of one client. */
  readonly connections?: Pick<ConnectionLimits, 'connections' | 'connectionsPerClient'>;
  readonly trustedProxies?: readonly string[];
  /** Absent: a free port of the loopback. */
  readonly listen?: ServerAddress;
  readonly tls?: TlsPaths;
  /** The longest that a client may take nothing, or take to send its request: both in real time. */
  readonly idleMs?: number;
  /** The longest that a client waits for its headers, by the fixture's clock. Default: 25 s. */
  readonly answerMs?: number;
  readonly headerTimeoutMs?: number;
  /** The marks of eviction. Absent: only a full disk evicts. */
  readonly marks?: Partial<Marks>;
  /** Returns the bytes free on the directory's disk. Absent: the machine's own. */
  readonly freeBytes?: (directory: string) => Promise<number>;
  /** Whether there are no credentials, so that recovered blobs may be served. Default: false. */
  readonly serveRecovered?: boolean;
  /** Changes the store, to make it fail. */
  readonly wrapStore?: (store: BlobStore) => BlobStore;
  /** Changes the index, to see what it is asked. */
  readonly wrapIndex?: (index: RememberingIndex) => RememberingIndex;
  /** Decides who may do what. Absent: every client may do the same. */
  readonly gate?: Gate;
  /** The section `access` of the configuration, as plain values. Absent: everything is open. */
  readonly access?: object;
  /** Finds out who asks for a token. Absent: all are anonymous. */
  readonly login?: Login;
  /** The URL by which clients reach it. Absent: each request tells it. */
  readonly publicUrl?: URL;
}

const OPEN: Parameters<typeof openAccess>[0] = {
  access: undefined,
  listen: { host: '127.0.0.1', port: 0 },
  proxies: { http: undefined, https: undefined, noProxy: [] },
};

export const MINUTE = 60_000;

const POLICY: TagPolicy = {
  ttlMs: 5 * MINUTE,
  staleForMs: 30 * 24 * 60 * MINUTE,
  deadlineMs: 2_000,
  isImmutable: () => false,
  onDeleted: 'drop',
  quotaReserve: 10,
};

export class MirrorFixture implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly events: LarderEvent[];
  readonly mirror: Mirror;
  readonly index: ContentIndex;
  readonly directory: string;
  readonly store: HeldStore;
  readonly evictor: Evictor;
  readonly operator: LocalOperator;
  readonly jobs: AssembledCache['jobs'];
  readonly api: AssembledCache['api'];
  readonly upkeep: Upkeep;
  readonly imports: Imports;
  readonly #listening: Listening;
  readonly #scheme: 'http' | 'https';
  readonly #ownsDirectory: boolean;
  readonly #upstreams: readonly RoutedUpstream[];
  readonly repositories: RepositoryTable;
  readonly #left: () => readonly string[];
  readonly #close: () => Promise<void>;
  readonly parser: ThreadParser;

  constructor(parts: {
    clock: ManualClock;
    events: LarderEvent[];
    mirror: Mirror;
    index: ContentIndex;
    directory: string;
    store: HeldStore;
    evictor: Evictor;
    operator: LocalOperator;
    jobs: AssembledCache['jobs'];
    api: AssembledCache['api'];
    upkeep: Upkeep;
    imports: Imports;
    listening: Listening;
    scheme: 'http' | 'https';
    ownsDirectory: boolean;
    upstreams: readonly RoutedUpstream[];
    repositories: RepositoryTable;
    parser: ThreadParser;
    left: () => readonly string[];
    close: () => Promise<void>;
  }) {
    this.clock = parts.clock;
    this.events = parts.events;
    this.mirror = parts.mirror;
    this.index = parts.index;
    this.directory = parts.directory;
    this.store = parts.store;
    this.evictor = parts.evictor;
    this.operator = parts.operator;
    this.jobs = parts.jobs;
    this.api = parts.api;
    this.upkeep = parts.upkeep;
    this.imports = parts.imports;
    this.#listening = parts.listening;
    this.#scheme = parts.scheme;
    this.#ownsDirectory = parts.ownsDirectory;
    this.#upstreams = parts.upstreams;
    this.repositories = parts.repositories;
    this.parser = parts.parser;
    this.#left = parts.left;
    this.#close = parts.close;
  }

  get url(): URL {
    return new URL(`${this.#scheme}://127.0.0.1:${portOf(this.#listening)}`);
  }

  /** Returns the repository that clients pull from. */
  repository(key: RepositoryKey): Repository {
    const repository = this.repositories.find(key);
    if (repository === undefined) throw new Error(`no upstream is called ${key.registry}`);
    return repository;
  }

  /** Returns the running fill of a digest from an upstream, by default from the default one. */
  fill(
    digest: Digest,
    upstream = this.#upstreams[0]?.upstream.name ?? '',
  ): ReturnType<Mirror['fills']['get']> {
    return this.mirror.fills.get(upstream, digest);
  }

  /**
   * Sends a request. Resolves once the whole answer is here and the blob that it has brought is stored: a client has the
   * last byte before that. `open` does not wait.
   */
  async get(path: string, asked?: RequestOptions): Promise<ReceivedAnswer> {
    const answer = await get(this.url, path, asked);
    await this.published();
    return answer;
  }

  /** Resolves when the blobs whose bytes are all here are stored, or it is known that they will not be. */
  async published(): Promise<void> {
    const whole = [...this.mirror.fills].filter(({ offset, size }) => offset === size);
    await Promise.all(whole.map(({ ended }) => ended));
  }

  head(path: string, asked?: RequestOptions): Promise<ReceivedAnswer> {
    return get(this.url, path, { ...asked, method: 'HEAD' });
  }

  open(path: string, asked?: RequestOptions): ReturnType<typeof open> {
    return open(this.url, path, asked);
  }

  /** The access log so far. */
  get served(): readonly ServedRequest[] {
    return this.events.flatMap((event) => (event.kind === 'request-served' ? [event.request] : []));
  }

  /** Lists the files in a folder of the cache directory. */
  files(folder: 'blobs/sha256' | 'blobs/sha512' | 'ingest' | 'quarantine'): Promise<string[]> {
    return readdir(join(this.directory, folder)).catch(() => []);
  }

  /** Returns the path of a blob's file, for changes without the program's knowledge. */
  pathOf(digest: Digest): string {
    return join(this.directory, 'blobs', ...digest.split(':'));
  }

  /** Deletes a blob's file without the program's knowledge. */
  deleteFile(digest: Digest): Promise<void> {
    return rm(this.pathOf(digest));
  }

  drain(limitMs: number, delayMs = 0): Promise<number> {
    return this.#listening.drain(limitMs, delayMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const drained = this.#listening.drain(0);
    this.clock.advance(0);
    await drained;
    await this.#close();
    await Promise.all(this.#upstreams.map(({ upstream }) => upstream.close()));
    await this.parser.close();
    await this.index.close();
    const left = await leftOver(() => this.#everythingLeft());
    if (this.#ownsDirectory) await rm(this.directory, { recursive: true });
    if (left.length > 0) throw new Error(`this is left:\n${left.join('\n')}`);
  }

  /** Returns a line for each thing that should be gone once the fixture is closed, but is not. */
  async #everythingLeft(): Promise<readonly string[]> {
    const { store, mirror, clock, directory } = this;
    const temporary = (await this.files('ingest')).map((name) => `a temporary file: ${name}`);
    const held = store.held.map((digest) => `held: ${digest}`);
    const open = (await openFiles(directory)).map((path) => `open: ${path}`);
    const fills = notZero({ 'running fills': mirror.fills.size });
    return [...fills, ...temporary, ...held, ...open, ...clock.left, ...this.#left()];
  }
}

export async function startMirror(options: MirrorFixtureOptions): Promise<MirrorFixture> {
  const clock = fixtureClock(options.msPerReading);
  const bus = createEvents();
  const events: LarderEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'larder-test-')));
  const fileStore = await openFileStore({ directory });
  const store = new HeldStore(options.wrapStore?.(fileStore) ?? fileStore);
  const watched = watchIndex(await openSqliteIndex(join(directory, 'index.db')));
  const remembering = rememberIndex(watched.index);
  const index = options.wrapIndex?.(remembering) ?? remembering;
  const { negativeTtlMs = 30_000, manifestMemoryBytes = MEMORY, blobMemoryBytes = MEMORY } = options;
  const parser = new ThreadParser({ clock });
  const isServed = options.serveRecovered ?? false;
  const recovered = { isServed, isWordEnough: isServed || options.upstreams.length === 1 };
  const marks = { maxSize: undefined, minFree: 0, unusedForMs: undefined, ...options.marks };
  const free = (): Promise<number> => options.freeBytes?.(directory) ?? fileStore.freeBytes();
  const passage = new Passage(randomUUID());
  const dependencies = { clock, events: bus, passage, parser };
  const upstreams = options.upstreams.map((entry) => routed(entry, dependencies));
  let jobs = 0;
  const cache = assembleCache({
    store,
    index,
    clock,
    events: bus,
    marks,
    freeBytes: free,
    negativeTtlMs,
    manifestMemoryBytes,
    blobMemoryBytes,
    recovered,
    parser,
    upstreams,
    defaultUpstream: options.upstreams[0]?.name ?? '',
    randomId: () => `job-${(jobs += 1)}`,
    uploads: join(directory, 'uploads'),
  });
  const { mirror, repositories, evictor, upkeep, operator, imports, api } = cache;
  if (options.marks !== undefined) evictor.start();
  cache.confirmEarly();
  const admission = new Admission(options.limits ?? { requests: 1000, requestsPerClient: 1000 });
  const shares = new BufferShares();
  const { deliver } = await chooseDelivery('auto', process, 1, shares);
  let ids = 0;
  const { idleMs = 0, headerTimeoutMs = 60_000, answerMs = 25_000, trustedProxies = [] } = options;
  const connections = options.connections ?? { connections: 10_000, connectionsPerClient: 10_000 };
  const settings =
    options.access === undefined
      ? OPEN
      : accessSettings(
          options.access,
          options.upstreams.map(({ name }) => name),
        );
  const userAgent = 'larder/test';
  const access = await openAccess(settings, { clock, events: bus, directory, userAgent });
  const listening = await startServer(
    {
      listen: options.listen ?? { host: '127.0.0.1', port: 0 },
      tls: options.tls,
      limits: { headerTimeoutMs, idleTimeoutMs: idleMs, ...connections },
      trustedProxies,
      answerMs,
      publicUrl: options.publicUrl,
      access: settings.access ?? options.gate,
    },
    {
      clock,
      events: bus,
      mirror,
      repositories,
      upstreams,
      admission,
      passage,
      access: {
        ...access,
        gate: options.gate ?? access.gate,
        login: options.login ?? access.login,
      },
      api,
      deliver,
      metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
      requestId: () => `request-${(ids += 1)}`,
    },
  );
  const ownsDirectory = options.directory === undefined;
  const left = (): readonly string[] => [
    ...watched.running(),
    ...notZero({
      'requests that are served': admission.running,
      'connections of clients': listening.connections,
      'shares of buffers': shares.taken,
    }),
    ...upstreams.flatMap(({ counts }) => notZero(counts())),
  ];
  return new MirrorFixture({
    clock,
    events,
    mirror,
    index,
    directory,
    store,
    evictor,
    operator,
    jobs: cache.jobs,
    api,
    upkeep,
    imports,
    listening,
    scheme: options.tls === undefined ? 'http' : 'https',
    ownsDirectory,
    upstreams,
    repositories,
    parser,
    left,
    close: async () => {
      await access[Symbol.asyncDispose]();
      await cache.close();
    },
  });
}

interface RoutedDependencies {
  readonly clock: ManualClock;
  readonly events: Events;
  readonly passage: Passage;
  readonly parser: ThreadParser;
}

function routed(
  entry: MirroredRegistry,
  { clock, events, passage, parser }: RoutedDependencies,
): GuardedUpstream {
  const connections = new ConnectionsInUse(entry.client?.connections);
  const large = new LargeBodies();
  const turns = blobTurns(64);
  const client = createUpstream(
    {
      name: entry.name,
      url: entry.registry.url,
      trustedRealms: [],
      allowPrivateNetworks: false,
      timeouts: { connectMs: 5_000, headersMs: 5_000, bodyMs: 5_000 },
      userAgent: 'larder/test',
      ...entry.client,
    },
    {
      clock,
      events,
      passage,
      parser,
      connections,
      large,
      ...(entry.network !== undefined && { network: entry.network }),
    },
  );
  const breaker = guardUpstream(
    entry.isLarge === undefined ? client : readAs(client, entry.isLarge ? Infinity : 0),
    { turns, waitMs: 5_000, countsPulls: quirksOf(entry.registry.url.hostname).countsPulls },
    { clock, events },
  );
  return {
    upstream: breaker.upstream,
    breaker,
    counts: () => ({
      'turns for bodies': turns.bodies.size,
      'turns for questions': turns.questions.size,
      'connections in use': connections.size,
      'large documents in memory': large.held,
    }),
    tags: { ...POLICY, ...entry.tags },
    permission: { isOpen: entry.isOpen ?? false, checksReferences: entry.checksReferences ?? false },
    name: entry.name,
    aliases: knownRegistry(entry.name)?.aliases ?? [],
    hosts: entry.hosts ?? [],
    addLibrary: entry.addLibrary ?? false,
    isAllowed: entry.isAllowed ?? (() => true),
  };
}

/** Tells the client that every blob has this size, and changes nothing else. */
function readAs(client: Upstream, describedSize: number): Upstream {
  return {
    ...client,
    blob: (repository, digest, options) => client.blob(repository, digest, { ...options, describedSize }),
  };
}
