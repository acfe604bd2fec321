import { tmpdir } from 'node:os';
import type { Events } from '../../events.ts';
import type { LocalOperator } from '../../operator/local-operator.ts';
import { createControl } from '../../server/control/control-api.ts';
import { listenControl, type ControlSocket } from '../../server/control/control-socket.ts';

/**
 * Answers the command line, on a socket in the cache directory. A server without it still serves, so a failure is only
 * reported.
 */
export async function startControl(
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
