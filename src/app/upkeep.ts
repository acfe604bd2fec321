import { tmpdir } from 'node:os';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events.ts';
import { Background } from '../upkeep/background.ts';
import type { LocalOperator } from '../operator/local-operator.ts';
import { VerifySchedule } from '../upkeep/verify-schedule.ts';
import { listenControl, type ControlSocket } from '../server/control/control-socket.ts';
import { createControl } from '../server/control/control-api.ts';
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

async function startControl(
  operator: LocalOperator,
  directory: string,
  events: Events,
): Promise<ControlSocket | undefined> {
  try {
    const app = createControl(operator);
    return await listenControl({ app, directory, temporaryDirectory: runtimeDirectory(process.env) });
  } catch (error) {
    events.emit({ kind: 'maintenance-failed', task: 'control', error });
    return undefined;
  }
}

/** Returns the directory for sockets: the service's own from systemd, the user's, else that of temporary files. */
function runtimeDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const [ofService] = (env['RUNTIME_DIRECTORY'] ?? '').split(':');
  return [ofService, env['XDG_RUNTIME_DIR']].find((path) => path !== undefined && path !== '') ?? tmpdir();
}
