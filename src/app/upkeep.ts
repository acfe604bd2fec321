import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events.ts';
import { Background } from '../upkeep/background.ts';
import { VerifySchedule } from '../upkeep/verify-schedule.ts';
import { startControl } from './operator/control.ts';
import type { Cache } from './cache.ts';

export interface UpkeepDependencies {
  readonly clock: Clock;
  readonly events: Events;
}

/** The work that a server does for its cache beside serving. */
export interface RunningUpkeep {
  close(): Promise<void>;
}

/**
 * Starts the upkeep in the background, and the socket that answers the command line. A server without them still
 * serves, so a failure is only told as an event.
 */
export async function startUpkeep(
  { cache: { directory, verifyEveryMs, verifyRate } }: Config,
  { index, mirror, upkeep, operator }: Cache,
  { clock, events }: UpkeepDependencies,
): Promise<RunningUpkeep> {
  // Without a directory of its own there is nothing to keep in order, and no place for a socket.
  if (mirror.disk.error !== undefined) return { close: async () => {} };
  const schedule =
    verifyEveryMs === undefined
      ? undefined
      : new VerifySchedule({
          upkeep,
          index,
          clock,
          events,
          everyMs: verifyEveryMs,
          bytesPerSecond: verifyRate,
        });
  const background = new Background({ upkeep, clock, events, schedule });
  const control = await startControl(operator, directory, events);
  background.start();
  return {
    async close() {
      await control?.close();
      await background.close();
    },
  };
}
