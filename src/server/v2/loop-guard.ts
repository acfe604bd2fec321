import type { HeaderLines } from '../../http/scanner.ts';

/** Recognises requests that come back, by their Via (RFC 9110 §7.6.3). */
export interface LoopGuard {
  /** Returns whether a request with this Via has been here before. */
  hasPassed(via: HeaderLines): boolean;
  /** Runs the work for a request with this Via, so that its requests to upstreams carry the Via on. */
  carry<T>(via: HeaderLines, run: () => T): T;
}

/** A request has come back to the mirror that sent it. */
export class LoopError extends Error {
  override readonly name = 'LoopError';

  constructor() {
    // Short, since it reaches the client inside the messages of other mirrors.
    super('a loop: the upstream leads back to this mirror');
  }
}
