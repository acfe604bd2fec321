import { tmpdir } from 'node:os';
import type { Events } from '../../events.ts';
import type { Api } from '../../api/api.ts';
import { listenControl, type ControlSocket } from '../../server/api/control-socket.ts';

/**
 * Answers the command line, on a socket in the cache directory. A server without it still serves, so a failure is only
 * reported.
 */
export async function startControl(
  api: Api,
  directory: string,
  events: Events,
): Promise<ControlSocket | undefined> {
  try {
    return await listenControl({ api, directory, temporaryDirectory: runtimeDirectory(process.env) });
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
