import type { DialectName } from '../sql/statements.ts';

/** Statements in SQLite's own dialect: a replaced row gets a new id, and so moves to the front. */
export const DIALECT: Readonly<Record<DialectName, string>> = {
  // Makes the claims of a piece of one manifest wait. A claim that already waits moves to the front.
  addWaitingEdges: `
    INSERT OR REPLACE INTO waiting_claims (upstream, repository_id, digest)
    SELECT o.upstream, b.repository_id, b.digest
    FROM edges AS e
    JOIN belongings AS b ON b.repository_id = ? AND b.digest = e.digest
    JOIN origins AS o ON o.digest = e.digest AND o.upstream = ?
    WHERE e.manifest = ? AND e.position >= ? AND e.position < ? AND e.role <> 'subject' AND b.source = 0`,
  // Makes the claims on one digest wait, for a piece of its repositories: any number of them may claim a base layer.
  addWaitingRepositories: `
    INSERT OR REPLACE INTO waiting_claims (upstream, repository_id, digest)
    SELECT r.registry, b.repository_id, b.digest
    FROM belongings AS b JOIN repositories AS r ON r.id = b.repository_id
    WHERE b.digest = ? AND b.repository_id > ? AND b.repository_id <= ? AND b.source = 0 AND r.registry = ?`,
};
