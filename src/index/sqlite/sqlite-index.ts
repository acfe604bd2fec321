import type { ContentIndex } from '../content-index.ts';
import { createBelongings } from './belongings.ts';
import { createBlobs } from './blobs.ts';
import { Connection } from './connection.ts';
import { createManifests } from './manifests.ts';
import { createPins } from './pins.ts';
import { createRepositories } from './repositories.ts';
import { createSurvey } from './survey.ts';
import { createTags } from './tags.ts';

export interface SqliteIndexOptions {
  /** How many spells that have ended are remembered of each tag: 1,000 unless told. */
  readonly historyLength?: number;
}

/**
 * The index in one SQLite file (WAL), or in memory for tests: `:memory:`. A query takes microseconds and blocks;
 * every method rejects with IndexError where it fails.
 * @throws IndexDamagedError where the file is not an index, IndexVersionError where it is newer than this
 *   program, IndexError where it cannot be opened.
 */
export async function openSqliteIndex(path: string, options: SqliteIndexOptions = {}): Promise<ContentIndex> {
  const connection = new Connection(path);
  return {
    ...createRepositories(connection),
    ...createTags(connection, options.historyLength ?? 1000),
    ...createManifests(connection),
    ...createBelongings(connection),
    ...createBlobs(connection),
    ...createPins(connection),
    ...createSurvey(connection),
    close: async () => connection.close(),
  };
}
