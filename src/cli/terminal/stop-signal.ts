import type { Clock } from '../../clock.ts';

/** The part of `process` that tells of signals. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Time in which a second signal is an echo: at Ctrl-C the terminal signals npm and Larder, then npm signals Larder. */
const ECHO_MS = 1_000;

/**
 * Resolves at the first SIGTERM, SIGINT or SIGHUP (the terminal is gone; nothing has to be told to read its files again).
 * Another one, a second later or more, ends the process at once, as the system
 * does: the operator does not want to wait for the drain.
 */
export function stopSignal(source: SignalSource, clock: Clock): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const listen = (signal: NodeJS.Signals): void => resolve(signal);
  for (const signal of SIGNALS) source.on(signal, listen);
  void promise.then(() =>
    clock.after(ECHO_MS, () => {
      for (const signal of SIGNALS) source.off(signal, listen);
    }),
  );
  return promise;
}
