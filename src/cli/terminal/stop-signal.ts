import type { Clock } from '../../clock.ts';

/** `process`, as far as it tells of signals. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** At Ctrl-C the terminal sends SIGINT to `npm start` and to its child, and npm passes its own on. */
const ECHO_MS = 1_000;

/**
 * Resolves at the first SIGTERM or SIGINT. One that comes a second later or more ends the process at once, as the
 * system does: whoever sends it does not want to wait for the drain.
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
