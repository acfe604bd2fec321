/** Statements about leases. */
export const LEASE_SQL = {
  putLease: `
    INSERT INTO leases (digest, until) VALUES (?, ?)
    ON CONFLICT (digest) DO UPDATE SET until = excluded.until WHERE leases.until < excluded.until`,
  leaseOf: 'SELECT until FROM leases WHERE digest = ?',
  endLeases: 'DELETE FROM leases WHERE digest IN (SELECT digest FROM leases WHERE until <= ? LIMIT ?)',
} as const;

/** The rows of the statements that give rows. */
export interface LeaseRows {
  leaseOf: { readonly until: number };
}
