import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { IndexError } from '../index/error.ts';
import { digestOf } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';

export interface DiskOptions {
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly events: Events;
  /** Told of a full disk, and how many bytes had no room. */
  readonly onFull?: ((bytes: number) => void) | undefined;
  /** Why the disk is known to fail from the start. */
  readonly diskError?: StoreError | undefined;
}

/** What keeps the cache from being written to. */
export type DiskError = StoreError | IndexError;

/** As often a failing disk is tried again. */
const PROBE_EVERY_MS = 5_000;
/** One that fails again right after it was found well (a byte of room is not enough) is tried less and less often. */
const MAX_PROBE_EVERY_MS = 60_000;

const PROBE_BYTES = 1024 * 1024;

/** Quotas are disks, too (errno(3)); SQLite has its own word. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/**
 * What says nothing of the next write: a file that is larger than this process may write, no descriptor to be had
 * just now, a row that another process holds.
 */
const OF_ANOTHER_KIND: ReadonlySet<string> = new Set([
  'EFBIG',
  'EMFILE',
  'ENFILE',
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
]);

/**
 * Whether the cache can be written to. While it is known that it cannot, nobody begins a fill: it would cost each
 * client a second request to upstream. It is tried again in the background, by bytes that are of no account.
 */
export class Disk {
  readonly #options: DiskOptions;
  #error: DiskError | undefined;
  #failingSince = 0;
  #recoveredAt = -Infinity;
  #probeEveryMs = PROBE_EVERY_MS;
  #probing: Promise<void> | undefined;
  #cancelProbe: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DiskOptions) {
    this.#options = options;
    if (options.diskError !== undefined) this.#fail(options.diskError);
  }

  /** Why the cache cannot be written to; undefined while it can. */
  get error(): DiskError | undefined {
    return this.#error;
  }

  /** For people and probes to read. */
  get state(): { readonly state: 'ok' } | { readonly state: 'failing'; since: string; reason: string } {
    if (this.#error === undefined) return { state: 'ok' };
    const since = new Date(this.#failingSince).toISOString();
    return { state: 'failing', since, reason: this.#error.message };
  }

  /**
   * Something could not be written.
   * @param bytes that it would have taken
   */
  failed(error: DiskError, bytes: number): void {
    if (OF_ANOTHER_KIND.has(error.code)) return;
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
