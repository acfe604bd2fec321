import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { LarderEvent, Listener } from '../events.ts';

/** Values that are read at each scrape, rather than told by events. */
export interface Gauges {
  /** Number of running fills. */
  readonly fills: () => number;
  /** Counts the stored content. Rejects when the index does not tell. */
  readonly store: () => Promise<{ readonly blobs: number; readonly bytes: number }>;
  /** The cap of the store, bytes; undefined if it has none. */
  readonly storeLimit: number | undefined;
  /** Bytes free on the disk. Rejects when the file system does not tell. */
  readonly freeBytes: () => Promise<number>;
  /** Names of the upstreams. */
  readonly upstreams: readonly string[];
  /** Counts the upstream's claims that wait to be confirmed, up to `limit`. Rejects when the index does not tell. */
  readonly waitingClaims: (upstream: string, limit: number) => Promise<number>;
  /** Whether the cache cannot be written to. */
  readonly isDiskFailing: () => boolean;
}

export interface Metrics {
  readonly listener: Listener;
  readonly read: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The most that are counted: to count a backlog of a million would hold up everything else at every scrape. */
const COUNTED_CLAIMS = 10_000;

const FIRST_BYTE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes Prometheus metrics, in a registry of their own. */
export function createMetrics(gauges: Gauges): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  addGauges(registers, gauges);
  const requests = requestMetrics(registers);
  const upstream = upstreamMetrics(registers);
  const cache = cacheMetrics(registers);
  const evictions = evictionMetrics(registers);
  const access = accessMetrics(registers);
  return {
    listener: (event) => {
      requests(event);
      upstream(event);
      cache(event);
      evictions(event);
      access(event);
    },
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function requestMetrics(registers: Registry[]): Listener {
  const requests = new Counter({
    name: 'larder_requests_total',
    help: 'Requests by kind, upstream, outcome (hit, miss, revalidated, stale, bypass, error) and status',
    labelNames: ['kind', 'upstream', 'outcome', 'status'],
    registers,
  });
  const bytes = new Counter({
    name: 'larder_client_bytes_total',
    help: 'Bytes of bodies sent to clients',
    labelNames: ['kind', 'upstream'],
    registers,
  });
  const cut = new Counter({
    name: 'larder_cut_responses_total',
    help: 'Answers that did not reach their end',
    labelNames: ['kind', 'upstream'],
    registers,
  });
  const firstByte = new Histogram({
    name: 'larder_first_byte_seconds',
    help: 'From a request to the headers of its answer',
    labelNames: ['kind', 'outcome'],
    buckets: FIRST_BYTE_SECONDS,
    registers,
  });
  return (event) => {
    if (event.kind !== 'request-served' || event.request.requestKind === 'other') return;
    const { requestKind: kind, upstream = '', outcome = '', status, complete, firstByteMs } = event.request;
    requests.inc({ kind, upstream, outcome, status });
    bytes.inc({ kind, upstream }, event.request.bytes);
    if (!complete) cut.inc({ kind, upstream });
    if (firstByteMs !== undefined) firstByte.observe({ kind, outcome }, firstByteMs / 1000);
  };
}

function upstreamMetrics(registers: Registry[]): Listener {
  const requests = new Counter({
    name: 'larder_upstream_requests_total',
    help: 'Requests to upstreams by method, target and result (ok, absent, denied, throttled, unavailable)',
    labelNames: ['upstream', 'method', 'target', 'result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'larder_upstream_request_seconds',
    help: 'From a request to an upstream to the headers of its answer, or its failure',
    labelNames: ['upstream', 'target'],
    buckets: FIRST_BYTE_SECONDS,
    registers,
  });
  const bytes = new Counter({
    name: 'larder_upstream_bytes_total',
    help: 'Bytes of bodies received from upstreams',
    labelNames: ['upstream'],
    registers,
  });
  const remaining = new Gauge({
    name: 'larder_upstream_ratelimit_remaining',
    help: 'Pulls left as the upstream last told',
    labelNames: ['upstream'],
    registers,
  });
  const breaker = new Gauge({
    name: 'larder_upstream_breaker_open',
    help: '1 while an upstream is left alone because it does not answer, 0 once it answers again',
    labelNames: ['upstream'],
    registers,
  });
  return (event) => {
    if (event.kind === 'upstream-request') {
      const { upstream, method, target, result } = event;
      requests.inc({ upstream, method, target, result });
      seconds.observe({ upstream, target }, event.durationMs / 1000);
    } else if (event.kind === 'upstream-bytes') {
      bytes.inc({ upstream: event.upstream }, event.bytes);
    } else if (event.kind === 'rate-limit') {
      remaining.set({ upstream: event.upstream }, event.remaining);
    } else if (event.kind === 'breaker-changed') {
      breaker.set({ upstream: event.upstream }, event.state === 'closed' ? 0 : 1);
    }
  };
}

function cacheMetrics(registers: Registry[]): Listener {
  const fills = new Counter({
    name: 'larder_fills_total',
    help: 'Fetches of blobs by how they ended (stored, failed, abandoned)',
    labelNames: ['upstream', 'outcome'],
    registers,
  });
  const events = new Counter({
    name: 'larder_events_total',
    help: 'What an operator may want to be woken by, by its kind',
    labelNames: ['event'],
    registers,
  });
  const watched: ReadonlySet<LarderEvent['kind']> = new Set([
    'account-changed',
    'authority-changed',
    'issuer-changed',
    'access-changed',
    'certificate-changed',
    'fill-resumed',
    'verification-failed',
    'stale-served',
    'store-failed',
    'tag-moved',
    'blob-quarantined',
    'index-replaced',
    'keys-replaced',
    'maintenance-failed',
    'server-failed',
  ] as const);
  return (event) => {
    if (event.kind === 'fill-ended') fills.inc({ upstream: event.upstream, outcome: event.outcome });
    if (watched.has(event.kind)) events.inc({ event: event.kind });
    if (event.kind === 'login-failed') events.inc({ event: event.kind }, 1 + event.untold);
  };
}

function evictionMetrics(registers: Registry[]): Listener {
  const blobs = new Counter({
    name: 'larder_evicted_blobs_total',
    help: 'Blobs and manifests evicted',
    registers,
  });
  const bytes = new Counter({ name: 'larder_evicted_bytes_total', help: 'Bytes evicted', registers });
  return (event) => {
    if (event.kind !== 'evicted') return;
    blobs.inc(event.blobs);
    bytes.inc(event.bytes);
  };
}

function accessMetrics(registers: Registry[]): Listener {
  const denied = new Counter({
    name: 'larder_access_denied_total',
    help: 'Requests that access control refused, by the class of failure (no-credentials, wrong-credentials, insufficient-scope, denied, throttled, unavailable)',
    labelNames: ['failure'],
    registers,
  });
  return (event) => {
    if (event.kind === 'access-denied') denied.inc({ failure: event.failure });
  };
}

const UNKNOWN = { blobs: NaN, bytes: NaN };

function addGauges(registers: Registry[], gauges: Gauges): void {
  // A scrape must not fail with the disk: then an operator needs the other figures most.
  const stored = (): ReturnType<Gauges['store']> => gauges.store().catch(() => UNKNOWN);
  void new Gauge({
    name: 'larder_fills',
    help: 'Blobs being fetched now',
    registers,
    collect() {
      this.set(gauges.fills());
    },
  });
  // Each gauge sets itself: a value that one gauge sets for another shows only at the next scrape.
  void new Gauge({
    name: 'larder_store_blobs',
    help: 'Blobs and manifests stored; NaN where the index does not tell',
    registers,
    async collect() {
      this.set((await stored()).blobs);
    },
  });
  void new Gauge({
    name: 'larder_store_bytes',
    help: 'Bytes stored; NaN where the index does not tell',
    registers,
    async collect() {
      this.set((await stored()).bytes);
    },
  });
  void new Gauge({
    name: 'larder_confirmations_waiting',
    help: `What manifests claim and is cached, and upstream has not been asked for yet: ${COUNTED_CLAIMS} where it is more; NaN where the index does not tell`,
    labelNames: ['upstream'],
    registers,
    async collect() {
      for (const upstream of gauges.upstreams) {
        this.set({ upstream }, await gauges.waitingClaims(upstream, COUNTED_CLAIMS).catch(() => Number.NaN));
      }
    },
  });
  addDiskGauges(registers, gauges);
}

function addDiskGauges(registers: Registry[], gauges: Gauges): void {
  if (gauges.storeLimit !== undefined) {
    new Gauge({
      name: 'larder_store_limit_bytes',
      help: 'Bytes that may be stored (maxSize); absent where there is no limit',
      registers,
    }).set(gauges.storeLimit);
  }
  void new Gauge({
    name: 'larder_disk_free_bytes',
    help: 'Bytes free on the disk of the cache; NaN where it does not tell',
    registers,
    async collect() {
      this.set(await gauges.freeBytes().catch(() => NaN));
    },
  });
  void new Gauge({
    name: 'larder_disk_failing',
    help: '1 while the cache cannot be written to (disk full, read-only, gone), and new pulls go through it',
    registers,
    collect() {
      this.set(gauges.isDiskFailing() ? 1 : 0);
    },
  });
}
