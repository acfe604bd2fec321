import { tmpdir } from 'node:os';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Repository } from '../repository/repository.ts';
import type { RepositoryTable } from '../repository/repository-table.ts';
import { Background } from '../upkeep/background.ts';
import { LocalOperator } from '../operator/local-operator.ts';
import { Upkeep } from '../upkeep/upkeep.ts';
import { VerifySchedule } from '../upkeep/verify-schedule.ts';
import { listenControl, type ControlSocket } from '../server/control/control-socket.ts';
import { createControl } from '../server/control/control-api.ts';
import type { Cache } from './cache.ts';

export interface UpkeepDependencies {
  readonly clock: Clock;
  readonly events: Events;
}

/** What keeps a cache in order that this process has opened. */
export function createUpkeep(
  { store, index, mirror }: Cache,
  repositories: RepositoryTable,
  dependencies: UpkeepDependencies,
): Upkeep {
  const findRepository = (key: RepositoryKey): Repository | undefined => repositories.find(key);
  return new Upkeep({ ...dependencies, store, index, mirror, findRepository });
}

/** What operators do with such a cache. */
export function createOperator(
  config: Config,
  { store, index, mirror }: Cache,
  upkeep: Upkeep,
  clock: Clock,
): LocalOperator {
  return new LocalOperator({
    store,
    index,
    mirror,
    clock,
    upkeep,
    naming: config,
    maxBytes: config.cache.maxSize,
  });
}

/** What a server does for its cache beside serving. */
export interface RunningUpkeep {
  close(): Promise<void>;
}

/**
 * Starts what goes on in the background, and answers the command line. A server without that still serves, so what
 * fails is told as an event.
 */
export async function startUpkeep(
  { cache: { directory, verifyEveryMs, verifyRate } }: Config,
  upkeep: Upkeep,
  operator: LocalOperator,
  { index, mirror }: Cache,
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

/** Where programs put their sockets: systemd's directory of the service, the user's, else that of temporary files. */
function runtimeDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const [ofService] = (env['RUNTIME_DIRECTORY'] ?? '').split(':');
  return [ofService, env['XDG_RUNTIME_DIR']].find((path) => path !== undefined && path !== '') ?? tmpdir();
}
