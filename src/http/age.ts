/** RFC 9111 §1.2.2: the most seconds that a recipient must be able to read. */
const MAX_SECONDS = 2_147_483_648;

/** Formats an `Age` (RFC 9111 §5.1) in whole seconds. After the clock was set back, a negative age becomes 0. */
export function formatAge(ms: number): string {
  return String(Math.max(0, Math.min(MAX_SECONDS, Math.floor(ms / 1_000))));
}
