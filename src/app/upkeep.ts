import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events.ts';
import { Background } from '../upkeep/background.ts';
import { VerifySchedule } from '../upkeep/verify-schedule.ts';
import { WarmSchedule } from '../operator/warm/warm-schedule.ts';
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
  config: Config,
  cache: Cache,
  dependencies: UpkeepDependencies,
): Promise<RunningUpkeep> {
  // Without a directory of its own there is nothing to keep in order, and no place for a socket.
  if (cache.mirror.disk.error !== undefined) return { close: async () => {} };
  const schedule = verifySchedule(config, cache, dependencies);
  const background = new Background({ ...dependencies, upkeep: cache.upkeep, schedule });
  const warming = warmSchedule(config, cache, dependencies);
  const control = await startControl(cache.api, config.cache.directory, dependencies.events);
  background.start();
  warming?.start();
  return {
    async close() {
      await control?.close();
      await warming?.close();
      await background.close();
    },
  };
}

function verifySchedule(
  { cache: { verifyEveryMs, verifyRate } }: Config,
  { index, upkeep }: Cache,
  dependencies: UpkeepDependencies,
): VerifySchedule | undefined {
  if (verifyEveryMs === undefined) return undefined;
  const pace = { everyMs: verifyEveryMs, bytesPerSecond: verifyRate };
  return new VerifySchedule({ ...dependencies, ...pace, upkeep, index });
}

function warmSchedule(
  { warm, offline }: Config,
  { index, jobs }: Cache,
  dependencies: UpkeepDependencies,
): WarmSchedule | undefined {
  if (warm.length === 0 || offline) return undefined;
  const plans = warm.map(({ everyMs, refs, tags, platforms, referrers }) => ({
    everyMs,
    request: {
      references: refs,
      ...(tags !== undefined && { tags }),
      ...(platforms.length > 0 && { platforms }),
      referrers,
      sparesQuota: true,
    },
  }));
  return new WarmSchedule({ ...dependencies, plans, jobs, index, random: Math.random });
}
