import type { DialectName } from '../sql/statements.ts';

/** The statements that SQLite has words of its own for: a row that is replaced gets a new id, and so moves to the front. */
export const DIALECT: Readonly<Record<DialectName, string>> = {
  // Those of a piece of one manifest. What waits already moves to the front.
  addWaitingEdges: `
    INSERT OR REPLACE INTO waiting_claims (upstream, repository_id, digest)
    SELECT o.upstream, b.repository_id, b.digest
    FROM edges AS e
    JOIN belongings AS b ON b.repository_id = ? AND b.digest = e.digest
    JOIN origins AS o ON o.digest = e.digest AND o.upstream = ?
    WHERE e.manifest = ? AND e.position >= ? AND e.position < ? AND e.role <> 'subject' AND b.source = 0`,
  // Those of a piece of the repositories that have one digest: a base layer may be claimed by any number of them.
  addWaitingRepositories: `
    INSERT OR REPLACE INTO waiting_claims (upstream, repository_id, digest)
    SELECT r.registry, b.repository_id, b.digest
    FROM belongings AS b JOIN repositories AS r ON r.id = b.repository_id
    WHERE b.digest = ? AND b.repository_id > ? AND b.repository_id <= ? AND b.source = 0 AND r.registry = ?`,
};
