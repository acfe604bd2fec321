import type { Page } from '../index/page.ts';
import type { PinEntry } from '../index/pin-index.ts';
import type { ContentStats, RepositoryRow, TagRow } from './inventory.ts';
import type { Removed } from './remove.ts';

/**
 * What operators can do with a cache at once, by the names that they type; what takes longer is a job (`jobs/`). The API
 * (`src/api/`) asks it, in the running server or, if none runs, in the process of the command.
 * Every method rejects with OperatorError if its work cannot be done.
 */
export interface Operator {
  stats(): Promise<ContentStats>;
  /** A page of the cached repositories, in ASCII order. */
  repositories(page: Page<string>): Promise<readonly RepositoryRow[]>;
  /** A page of the repository's tags, in ASCII order. */
  tags(repository: string, page: Page<string>): Promise<readonly TagRow[]>;
  /** A page of the pins, in ASCII order of their names. */
  pins(page: Page<string>): Promise<readonly PinEntry[]>;
  /** Deletes what the reference names (remove.ts). */
  remove(reference: string): Promise<Removed>;
  /** Pins what the reference names (pins.ts). @returns the names of the pins */
  pin(reference: string): Promise<readonly string[]>;
  /** Ends the pins of the reference. @returns their names */
  unpin(reference: string): Promise<readonly string[]>;
}
