import { DatabaseSync } from 'node:sqlite';
import type { ContentIndex } from '../content-index.ts';
import { mapMethods, type AnyMethod } from '../map-methods.ts';
import { createBelongings } from './ports/belongings.ts';
import { createBlobs } from './ports/blobs.ts';
import { Connection, type OnRows } from './connection.ts';
import { ManifestEdges } from './ports/manifest-edges.ts';
import { createForgetGone } from './ports/forget-gone.ts';
import { createLeases } from './ports/leases.ts';
import { upgradableVersion, type OnUpgrade } from './migrate.ts';
import { createJobs } from './ports/jobs.ts';
import { createManifests } from './ports/manifests.ts';
import { createPins } from './ports/pins.ts';
import { MIGRATIONS } from './schema.ts';
import { createSurvey } from './ports/survey.ts';
import { createTags } from './ports/tags.ts';
import { WriteTurns } from './write-turns.ts';

export interface SqliteIndexOptions {
  /** Number of ended spells that are remembered of each tag. Default: 1,000. */
  readonly historyLength?: number;
  /**
   * How long a call waits for another program that writes into the file, milliseconds. Default: 0. The process does
   * nothing else meanwhile, so in a server the call should rather fail: callers can do without the index for a moment.
   */
  readonly busyTimeoutMs?: number;
  /** Called with the rows that a statement reads or changes, in the same turn of the event loop. */
  readonly onRows?: OnRows;
  /**
   * Called when an older Larder's index is about to be upgraded. The upgrade may take many seconds, in which not even a
   * log is written, so it begins only when the returned promise has resolved.
   */
  readonly onUpgradeBegun?: (...versions: Parameters<OnUpgrade>) => Promise<void>;
  /** Called when the index was upgraded. */
  readonly onUpgrade?: OnUpgrade;
}

/**
 * Opens the index in one SQLite file (WAL), or in memory for tests: `:memory:`. A query takes microseconds and blocks;
 * a method that fails rejects with IndexError. Work on many rows is spread over several turns of the event loop
 * (write-turns.ts).
 * @throws IndexDamagedError if the file is not an index, IndexVersionError if it is newer than this program,
 *   IndexError if it cannot be opened.
 */
export async function openSqliteIndex(path: string, options: SqliteIndexOptions = {}): Promise<ContentIndex> {
  const { historyLength = 1000 } = options;
  const older = options.onUpgradeBegun && olderVersion(path);
  if (older !== undefined) await options.onUpgradeBegun?.(older, MIGRATIONS.length);
  const turns = new WriteTurns();
  const connection = new Connection(path, {
    ...(options.onUpgrade && { onUpgrade: options.onUpgrade }),
    busyTimeoutMs: options.busyTimeoutMs ?? 0,
    onRows(rows) {
      options.onRows?.(rows);
      turns.count(rows);
    },
  });
  const edges = new ManifestEdges(connection, turns);
  await edges.finish().catch((error: unknown) => {
    connection.close();
    throw error;
  });
  const index: Omit<ContentIndex, 'close'> = {
    ...createTags(connection, turns, historyLength),
    ...createManifests(connection, turns, edges),
    ...createBelongings(connection, turns),
    ...createBlobs(connection, turns, edges),
    ...createPins(connection, turns),
    ...createLeases(connection, turns),
    ...createSurvey(connection, turns, edges),
    ...createJobs(connection),
    ...createForgetGone(connection, edges, historyLength),
  };
  return { ...inTurns(index, turns), close: async () => connection.close() };
}

/** Returns the same index, whose calls wait for their turn, so that every loop over calls has its pauses. */
function inTurns<T extends object>(index: T, turns: WriteTurns): T {
  const inTurn = (method: AnyMethod): AnyMethod => {
    return (...args) => turns.take(() => method(...args));
  };
  return mapMethods(index, inTurn);
}

/** Returns the file's schema version if it will be upgraded. Any other fault of the file shows when it is opened. */
function olderVersion(path: string): number | undefined {
  try {
    const database = new DatabaseSync(path);
    try {
      return upgradableVersion(database, MIGRATIONS);
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}
