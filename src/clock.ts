/** Time as a constructor argument: Larder reads the system clock only through this. */
export interface Clock {
  /** Milliseconds since the epoch. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that never go back; only differences have a meaning. */
  monotonic(): number;
  /** Calls `callback` once after `ms` milliseconds unless the returned function is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** The real clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
