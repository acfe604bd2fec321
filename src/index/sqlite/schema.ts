/**
 * The schema, as the steps that lead to it: step n makes version n + 1. A released step never changes. Text compares by
 * bytes (SQLite's default), which for names and tags is ASCII order.
 *
 * Digests are stored as bytes (../sql/digest-bytes.ts): with a million blobs the file has 400 MB instead of 720 MB, and
 * more of it stays in memory. There are deliberately no foreign keys: a belonging or an edge may refer to bytes that
 * are not stored yet or no longer stored, and repositories are never removed.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE repositories (
    id INTEGER PRIMARY KEY,
    upstream TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL, -- upstream/name: ASCII order of paths is not that of (upstream, name)
    UNIQUE (upstream, name)
  ) STRICT;
  CREATE INDEX repositories_by_path ON repositories (path);

  CREATE TABLE tags (
    repository_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tag_history (
    id INTEGER PRIMARY KEY, -- the order, since clocks may be set back
    repository_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    replaced_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX tag_history_by_tag ON tag_history (repository_id, name, id);

  CREATE TABLE manifests (
    digest BLOB PRIMARY KEY NOT NULL,
    descriptor TEXT NOT NULL, -- JSON
    subject BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifests_by_subject ON manifests (subject);

  CREATE TABLE edges (
    manifest BLOB NOT NULL,
    position INTEGER NOT NULL, -- a manifest may refer to one digest more than once
    role TEXT NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    PRIMARY KEY (manifest, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX edges_by_digest ON edges (digest, size);

  CREATE TABLE belongings (
    repository_id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (repository_id, digest)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE blobs (
    digest BLOB PRIMARY KEY NOT NULL,
    size INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blobs_by_use ON blobs (used_at);

  CREATE TABLE totals ( -- to count a million rows takes a tenth of a second
    of_table TEXT PRIMARY KEY NOT NULL,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO totals (of_table, entries, bytes) VALUES ('blobs', 0, 0);
  `,
  `
  ALTER TABLE blobs ADD COLUMN tier INTEGER NOT NULL DEFAULT 0; -- 0 a blob, 1 a manifest, 2 one of manifests
  UPDATE blobs SET tier = 1 WHERE digest IN (SELECT digest FROM manifests);
  UPDATE blobs SET tier = 2 WHERE digest IN (SELECT manifest FROM edges WHERE role = 'manifest');
  DROP INDEX blobs_by_use;
  ALTER TABLE blobs ADD COLUMN eviction_rank INTEGER NOT NULL -- eviction-rank.ts
    GENERATED ALWAYS AS (used_at + tier * 3600000) VIRTUAL;
  CREATE INDEX blobs_by_eviction_rank ON blobs (eviction_rank, digest);

  CREATE TABLE pins (
    name TEXT PRIMARY KEY NOT NULL, -- the digest, or upstream/repository:tag
    digest BLOB, -- else what the tag stands for
    repository_id INTEGER,
    tag TEXT,
    pinned_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE INDEX belongings_by_digest ON belongings (digest);

  CREATE TABLE recovered ( -- bytes that were found without a row
    digest BLOB PRIMARY KEY NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE notes (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE tags ADD COLUMN since INTEGER; -- null here and below: from before it was recorded
  ALTER TABLE tags ADD COLUMN seen TEXT;
  ALTER TABLE tag_history RENAME COLUMN replaced_at TO until;
  ALTER TABLE tag_history ADD COLUMN since INTEGER;
  ALTER TABLE tag_history ADD COLUMN seen TEXT;
  ALTER TABLE tag_history ADD COLUMN checked_at INTEGER;
  ALTER TABLE tag_history ADD COLUMN ended TEXT;
  `,
  `
  ALTER TABLE belongings ADD COLUMN source INTEGER NOT NULL DEFAULT 0; -- belonging-source.ts; what was before is a claim

  CREATE TABLE origins ( -- which upstreams have given the bytes that are here
    digest BLOB NOT NULL,
    upstream TEXT NOT NULL,
    media_type TEXT, -- under which it has given them, where they are a manifest
    PRIMARY KEY (digest, upstream)
  ) STRICT, WITHOUT ROWID;
  -- Which upstream gave the bytes was not recorded: it is known where only one upstream has the digest.
  INSERT INTO origins (digest, upstream, media_type)
    SELECT b.digest, MIN(r.upstream), (
      SELECT CASE WHEN json_valid(m.descriptor) THEN json_extract(m.descriptor, '$.mediaType') END
      FROM manifests AS m WHERE m.digest = b.digest)
    FROM belongings AS b JOIN repositories AS r ON r.id = b.repository_id
    WHERE b.digest IN (SELECT digest FROM blobs) AND b.digest NOT IN (SELECT digest FROM recovered)
    GROUP BY b.digest HAVING COUNT(DISTINCT r.upstream) = 1;

  CREATE TABLE waiting_claims ( -- those whose bytes are here, given by the same upstream; the newest has the highest id
    id INTEGER PRIMARY KEY,
    upstream TEXT NOT NULL,
    repository_id INTEGER NOT NULL,
    digest BLOB NOT NULL,
    UNIQUE (repository_id, digest)
  ) STRICT;
  CREATE INDEX waiting_claims_by_upstream ON waiting_claims (upstream, id);
  INSERT INTO waiting_claims (upstream, repository_id, digest)
    SELECT o.upstream, b.repository_id, b.digest
    FROM belongings AS b
    JOIN repositories AS r ON r.id = b.repository_id
    JOIN origins AS o ON o.digest = b.digest AND o.upstream = r.upstream
    JOIN blobs AS s ON s.digest = b.digest
    ORDER BY s.used_at;
  `,
  `
  CREATE INDEX tags_by_digest ON tags (repository_id, digest);

  CREATE TABLE unfinished ( -- manifests whose edges are being written or removed, over several transactions
    manifest BLOB PRIMARY KEY NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE tags ADD COLUMN missing_since INTEGER; -- when what it stands for was first found not to be stored
  ALTER TABLE belongings ADD COLUMN missing_since INTEGER; -- when nothing was first found to need it
  `,
  `
  ALTER TABLE repositories RENAME COLUMN upstream TO registry;
  `,
  `
  CREATE TABLE jobs ( -- job-index.ts; what a job says is JSON
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    progress TEXT,
    error TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    request TEXT NOT NULL,
    result TEXT
  ) STRICT;
  CREATE INDEX jobs_by_start ON jobs (started_at, id);
  CREATE INDEX jobs_by_state ON jobs (state);
  `,
  `
  CREATE TABLE leases ( -- what must not be evicted before a time
    digest BLOB PRIMARY KEY NOT NULL,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leases_by_end ON leases (until);
  `,
];
