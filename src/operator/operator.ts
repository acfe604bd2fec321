import type { Page } from '../index/page.ts';
import type { PinEntry } from '../index/pin-index.ts';
import type { ContentStats, RepositoryRow, TagRow } from './inventory.ts';
import type { Removed } from './remove.ts';
import type { VerifyProgress, VerifyReport } from '../upkeep/verify.ts';

export interface VerifyRequest {
  /** Whether what is wrong is fetched again now. */
  readonly repair: boolean;
  /** Bytes a second at most; undefined: as fast as it goes. */
  readonly bytesPerSecond: number | undefined;
}

/**
 * What operators do with a cache, by the names that they type. The running server does it, or where none runs, the
 * command itself.
 * Every method rejects with OperatorError where it cannot be done.
 */
export interface Operator {
  stats(): Promise<ContentStats>;
  /** In ASCII order. */
  repositories(page: Page<string>): Promise<readonly RepositoryRow[]>;
  /** In ASCII order. */
  tags(repository: string, page: Page<string>): Promise<readonly TagRow[]>;
  /** In ASCII order of their names. */
  pins(page: Page<string>): Promise<readonly PinEntry[]>;
  remove(reference: string): Promise<Removed>;
  /** @returns the names of the pins. */
  pin(reference: string): Promise<readonly string[]>;
  /** @returns the names of the pins that have ended. */
  unpin(reference: string): Promise<readonly string[]>;
  verify(
    request: VerifyRequest,
    onProgress: (progress: VerifyProgress) => void,
    signal: AbortSignal,
  ): Promise<VerifyReport>;
}
