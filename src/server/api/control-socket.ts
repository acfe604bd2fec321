import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { bindUnixSocket, HIDDEN } from '../unix-socket.ts';
import type { Api } from '../../api/api.ts';
import { answerApi } from './api-door.ts';

export interface ControlSocketOptions {
  readonly api: Pick<Api, 'answer'>;
  /** The cache directory, which must be locked by this process. */
  readonly directory: string;
  /** A directory with a short path, for a socket that cannot be in the cache directory. */
  readonly temporaryDirectory: string;
}

export interface ControlSocket {
  readonly path: string;
  /** Cuts the open connections, and removes the socket. */
  close(): Promise<void>;
}

/** `sockaddr_un.sun_path` without its end: 108 bytes on Linux, 104 on macOS and the BSDs. */
const MAX_PATH_BYTES = 103;

const NAME = 'control.sock';
const POINTER = 'control.json';
/** Only the owner may connect. */
const MODE = 0o600;

/**
 * Returns the path of a cache directory's control socket: in the directory, or as its `control.json` says. There may be
 * no server that listens on it.
 */
export async function findControlSocket(directory: string): Promise<string> {
  return (await readPointer(directory)) ?? join(resolve(directory), NAME);
}

/**
 * Listens on a Unix socket that only this process's user can connect to: `control.sock` in the cache directory. If that
 * path is too long or that file system has no sockets, the socket is in a directory of its own under
 * `temporaryDirectory`, and `control.json` says where. Replaces a socket that an earlier process has left.
 * @throws the system's error
 */
export async function listenControl(options: ControlSocketOptions): Promise<ControlSocket> {
  const directory = resolve(options.directory);
  await removeFallback(directory);
  const path = join(directory, NAME);
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) {
    try {
      return await listenInside(options, directory, path);
    } catch {
      // No sockets there (some network file systems), or no permission. Any other fault shows in the other place, too.
    }
  }
  return listenElsewhere(options, directory);
}

async function listenInside(
  { api }: ControlSocketOptions,
  directory: string,
  path: string,
): Promise<ControlSocket> {
  await removeHidden(directory);
  const server = serverOf(api);
  const socket = await bindUnixSocket(server, path, MODE);
  return controlSocket(server, path, () => socket.remove());
}

async function listenElsewhere(
  { api, temporaryDirectory }: ControlSocketOptions,
  directory: string,
): Promise<ControlSocket> {
  const own = await mkdtemp(join(temporaryDirectory, 'larder-'));
  try {
    const path = join(own, NAME);
    const server = serverOf(api);
    await bindUnixSocket(server, path, MODE);
    await writeFile(join(directory, POINTER), JSON.stringify({ socket: path }), { mode: MODE });
    return controlSocket(server, path, () => removeFallback(directory));
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw error;
  }
}

/** The owner of the socket may do everything: the permission to open the file is the access control. */
function serverOf(api: ControlSocketOptions['api']): Server {
  return createServer((incoming, outgoing) => {
    answerApi(api, incoming, outgoing, () => {}).catch(() => outgoing.destroy());
  });
}

function controlSocket(server: Server, path: string, remove: () => Promise<void>): ControlSocket {
  return {
    path,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await remove();
    },
  };
}

/** Removes what a crash between binding and renaming has left. */
async function removeHidden(directory: string): Promise<void> {
  const names = await readdir(directory);
  for (const name of names.filter((name) => name.startsWith(HIDDEN))) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Removes the socket outside the cache directory that this or an earlier process has made. */
async function removeFallback(directory: string): Promise<void> {
  const path = await readPointer(directory);
  if (path === undefined) return;
  const own = dirname(path);
  // The pointer file is Larder's own, but a directory is removed by force only if its name looks like Larder's too.
  if (basename(own).startsWith('larder-')) await rm(own, { recursive: true, force: true });
  await rm(join(directory, POINTER), { force: true });
}

async function readPointer(directory: string): Promise<string | undefined> {
  try {
    const text = await readFile(join(directory, POINTER), 'utf8');
    const { socket } = JSON.parse(text) as { socket?: unknown };
    return typeof socket === 'string' && basename(socket) === NAME ? socket : undefined;
  } catch {
    return undefined;
  }
}
