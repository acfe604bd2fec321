import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { IndexError } from '../index/error.ts';
import { digestOf } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';

export interface DiskHealthOptions {
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly events: Events;
  /** Called when the disk is full, with the number of bytes that had no room. */
  readonly onFull?: ((bytes: number) => void) | undefined;
  /** Failure of the disk that is known from the start. */
  readonly diskError?: StoreError | undefined;
}

/** An error that keeps the cache from being written to. */
export type DiskError = StoreError | IndexError;

/** Interval between probes of a failing disk. */
const PROBE_EVERY_MS = 5_000;
/**
 * Greatest interval between probes. It doubles if the disk fails again right after a good probe, as a disk does that
 * has room for a byte.
 */
const MAX_PROBE_EVERY_MS = 60_000;

const PROBE_BYTES = 1024 * 1024;

/** Codes of a full disk. A quota counts as a disk (errno(3)); SQLite has its own code. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/**
 * Codes that predict nothing about the next write: the file is larger than this process may write, no descriptor is
 * free just now, another process holds the row.
 */
const NOT_OF_DISK: ReadonlySet<string> = new Set([
  'EFBIG',
  'EMFILE',
  'ENFILE',
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
]);

/**
 * Knows whether the cache can be written to. While the disk fails, no fill begins: a fill would cost each client a
 * second request to upstream. The disk is probed in the background, with bytes that are thrown away.
 */
export class DiskHealth {
  readonly #options: DiskHealthOptions;
  #error: DiskError | undefined;
  #failingSince = 0;
  #recoveredAt = -Infinity;
  #probeEveryMs = PROBE_EVERY_MS;
  #probing: Promise<void> | undefined;
  #cancelProbe: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DiskHealthOptions) {
    this.#options = options;
    if (options.diskError !== undefined) this.#fail(options.diskError);
  }

  /** Reason why the cache cannot be written to; undefined while it can. */
  get error(): DiskError | undefined {
    return this.#error;
  }

  /** State of the disk, for operators and health checks. */
  get state(): { readonly state: 'ok' } | { readonly state: 'failing'; since: string; reason: string } {
    if (this.#error === undefined) return { state: 'ok' };
    const since = new Date(this.#failingSince).toISOString();
    return { state: 'failing', since, reason: this.#error.message };
  }

  /**
   * Records that a write has failed.
   * @param bytes size of the write
   */
  failed(error: DiskError, bytes: number): void {
    if (NOT_OF_DISK.has(error.code)) return;
    if (FULL.has(error.code)) this.#options.onFull?.(bytes);
    if (this.#error === undefined) this.#fail(error);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelProbe?.();
    await this.#probing;
  }

  #fail(error: DiskError): void {
    const { clock, events } = this.#options;
    this.#error = error;
    this.#failingSince = clock.now();
    const wasWell = clock.monotonic() - this.#recoveredAt > MAX_PROBE_EVERY_MS;
    this.#probeEveryMs = wasWell ? PROBE_EVERY_MS : Math.min(2 * this.#probeEveryMs, MAX_PROBE_EVERY_MS);
    events.emit({ kind: 'disk-changed', state: 'failing', error });
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#isClosed) return;
    this.#cancelProbe = this.#options.clock.after(this.#probeEveryMs, () => {
      this.#probing = this.#probe();
    });
  }

  async #probe(): Promise<void> {
    try {
      await this.#write();
      this.#recover();
    } catch (error) {
      if (isDiskError(error) && FULL.has(error.code)) this.#options.onFull?.(PROBE_BYTES);
      this.#probeLater();
    }
  }

  async #write(): Promise<void> {
    const bytes = new Uint8Array(PROBE_BYTES);
    await using ingest = await this.#options.store.ingest({ digest: digestOf(bytes), size: PROBE_BYTES });
    await ingest.write([bytes]);
  }

  #recover(): void {
    this.#error = undefined;
    this.#recoveredAt = this.#options.clock.monotonic();
    this.#options.events.emit({ kind: 'disk-changed', state: 'ok' });
  }
}

export function isDiskError(error: unknown): error is DiskError {
  return error instanceof StoreError || error instanceof IndexError;
}
