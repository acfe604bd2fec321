/** RFC 9111 §1.2.2: as many seconds as a recipient has to be able to read. */
const MAX_SECONDS = 2_147_483_648;

/** An `Age` (RFC 9111 §5.1): whole seconds. What the clock, having been set back, puts into the future is of now. */
export function formatAge(ms: number): string {
  return String(Math.max(0, Math.min(MAX_SECONDS, Math.floor(ms / 1_000))));
}
