import { tmpdir } from 'node:os';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events.ts';
import { Background } from '../maintenance/background.ts';
import { LocalMaintenance } from '../maintenance/local-maintenance.ts';
import { VerifySchedule } from '../maintenance/schedule.ts';
import { listenControl, type ControlSocket } from '../server/control-socket.ts';
import { createControl } from '../server/control.ts';
import type { Cache } from './cache.ts';
import { findTarget, type ConfiguredUpstream } from './upstreams.ts';

export interface MaintenanceDependencies {
  readonly clock: Clock;
  readonly events: Events;
}

/** Maintenance of a cache that this process has opened. */
export function createMaintenance(
  config: Config,
  cache: Cache,
  upstreams: readonly ConfiguredUpstream[],
  dependencies: MaintenanceDependencies,
): LocalMaintenance {
  const { store, index, mirror } = cache;
  return new LocalMaintenance({
    ...dependencies,
    store,
    index,
    mirror,
    naming: config,
    findTarget: (key) => findTarget(upstreams, key),
    maxBytes: config.cache.maxSize,
  });
}

/** What a server does for its cache beside serving. */
export interface RunningMaintenance {
  close(): Promise<void>;
}

/**
 * Starts what goes on in the background, and answers the command line. A server without that still serves, so what
 * fails is told as an event.
 */
export async function startMaintenance(
  { cache: { directory, verifyEveryMs, verifyRate } }: Config,
  maintenance: LocalMaintenance,
  { index, mirror }: Cache,
  { clock, events }: MaintenanceDependencies,
): Promise<RunningMaintenance> {
  // Without a directory of its own there is nothing to maintain, and no place for a socket.
  if (mirror.disk.error !== undefined) return { close: async () => {} };
  const schedule =
    verifyEveryMs === undefined
      ? undefined
      : new VerifySchedule({
          maintenance,
          index,
          clock,
          events,
          everyMs: verifyEveryMs,
          bytesPerSecond: verifyRate,
        });
  const background = new Background({ maintenance, clock, events, schedule });
  const control = await startControl(maintenance, directory, events);
  background.start();
  return {
    async close() {
      await control?.close();
      await background.close();
    },
  };
}

async function startControl(
  maintenance: LocalMaintenance,
  directory: string,
  events: Events,
): Promise<ControlSocket | undefined> {
  try {
    const app = createControl(maintenance);
    return await listenControl({ app, directory, temporaryDirectory: runtimeDirectory(process.env) });
  } catch (error) {
    events.emit({ kind: 'maintenance-failed', task: 'control', error });
    return undefined;
  }
}

/** Where programs put their sockets: systemd's directory of the service, the user's, else that of temporary files. */
function runtimeDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const [ofService] = (env['RUNTIME_DIRECTORY'] ?? '').split(':');
  return [ofService, env['XDG_RUNTIME_DIR']].find((path) => path !== undefined && path !== '') ?? tmpdir();
}
