import type { Events } from '../../events.ts';
import type { Digest } from '../../oci/digest.ts';
import { VerificationError } from '../../store/error.ts';
import { NoRoomError } from './allowance.ts';
import { isDiskError, type DiskHealth } from '../disk-health.ts';

export interface FillReportOptions {
  readonly upstream: string;
  readonly digest: Digest;
  readonly disk: DiskHealth;
  readonly events: Events;
}

/** Emits the events of a fill, each once, however many clients follow it. */
export class FillReport {
  readonly #options: FillReportOptions;
  readonly #reported = new Set<unknown>();

  constructor(options: FillReportOptions) {
    this.#options = options;
    const { upstream, digest, events } = options;
    events.emit({ kind: 'fill-started', upstream, digest });
  }

  /**
   * Reports an error of the fill, if it is a failure of the disk or wrong bytes.
   * @param bytes size of the blob, as far as it is known
   */
  failed(error: unknown, bytes: number): void {
    const { upstream, digest, disk, events } = this.#options;
    if (this.#reported.has(error)) return;
    this.#reported.add(error);
    if (isDiskError(error) && !(error instanceof NoRoomError)) {
      disk.failed(error, bytes);
      events.emit({ kind: 'store-failed', operation: 'fill', error });
    }
    if (error instanceof VerificationError) {
      events.emit({ kind: 'verification-failed', upstream, digest, error });
    }
  }

  ended(outcome: 'stored' | 'failed' | 'abandoned', bytes: number, error?: unknown): void {
    const { upstream, digest, events } = this.#options;
    events.emit({ kind: 'fill-ended', upstream, digest, outcome, bytes, error });
  }
}
