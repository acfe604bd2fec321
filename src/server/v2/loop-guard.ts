import type { HeaderLines } from '../../http/scanner.ts';

/** Where requests have been (RFC 9110 §7.6.3). */
export interface LoopGuard {
  /** Whether a request with this Via has been here before. */
  hasPassed(via: HeaderLines): boolean;
  /** Runs what a request with this Via makes, so that what is asked of upstreams for it carries the Via on. */
  carry<T>(via: HeaderLines, run: () => T): T;
}

/** A request has come back to the one that sent it. */
export class LoopError extends Error {
  override readonly name = 'LoopError';

  constructor() {
    // Short, since it comes to the client inside of what other mirrors say of it.
    super('a loop: the upstream leads back to this mirror');
  }
}
