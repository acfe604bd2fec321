import { DatabaseSync } from 'node:sqlite';
import type { ContentIndex } from '../content-index.ts';
import { mapMethods, type AnyMethod } from '../map-methods.ts';
import { createBelongings } from './ports/belongings.ts';
import { createBlobs } from './ports/blobs.ts';
import { Connection, type OnRows } from './connection.ts';
import { ManifestEdges } from './ports/manifest-edges.ts';
import { createForgetGone } from './ports/forget-gone.ts';
import { upgradableVersion, type OnUpgrade } from './migrate.ts';
import { createManifests } from './ports/manifests.ts';
import { createPins } from './ports/pins.ts';
import { MIGRATIONS } from './schema.ts';
import { createSurvey } from './ports/survey.ts';
import { createTags } from './ports/tags.ts';
import { WriteTurns } from './write-turns.ts';

export interface SqliteIndexOptions {
  /** How many spells that have ended are remembered of each tag: 1,000 unless told. */
  readonly historyLength?: number;
  /**
   * How long a call waits for another program that is writing into the file, milliseconds: 0 unless told. The process
   * does nothing else meanwhile, so a server rather fails: its callers can do without the index for a moment.
   */
  readonly busyTimeoutMs?: number;
  /** Told of the rows that each statement reads or changes, in the turn of the event loop in which it does. */
  readonly onRows?: OnRows;
  /**
   * Told that an index of an older Larder is about to be upgraded. That may take many seconds, in which not even a log is
   * written: it begins when what this returns has resolved.
   */
  readonly onUpgradeBegun?: (...versions: Parameters<OnUpgrade>) => Promise<void>;
  /** Told that it was upgraded. */
  readonly onUpgrade?: OnUpgrade;
}

/**
 * The index in one SQLite file (WAL), or in memory for tests: `:memory:`. A query takes microseconds and blocks;
 * every method rejects with IndexError where it fails.
 * What many rows take is done over several turns of the event loop (write-turns.ts).
 * @throws IndexDamagedError where the file is not an index, IndexVersionError where it is newer than this
 *   program, IndexError where it cannot be opened.
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
    ...createSurvey(connection, turns, edges),
    ...createForgetGone(connection, edges, historyLength),
  };
  return { ...inTurns(index, turns), close: async () => connection.close() };
}

/** The same index, whose calls wait until there is room for them: so every loop over calls has its pauses. */
function inTurns<T extends object>(index: T, turns: WriteTurns): T {
  const inTurn = (method: AnyMethod): AnyMethod => {
    return (...args) => turns.take(() => method(...args));
  };
  return mapMethods(index, inTurn);
}

/** Of the schema in the file, where it is to be upgraded. What else is wrong with the file is told when it is opened. */
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
