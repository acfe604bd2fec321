import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { createControl } from './control-api.ts';

export interface ControlSocketOptions {
  readonly app: ReturnType<typeof createControl>;
  /** The cache directory, which must be locked by this process. */
  readonly directory: string;
  /** Where the socket goes that cannot be in the cache directory; short. */
  readonly temporaryDirectory: string;
}

export interface ControlSocket {
  readonly path: string;
  /** Cuts who is connected, and removes the socket. */
  close(): Promise<void>;
}

/** `sockaddr_un.sun_path` without its end: 108 bytes on Linux, 104 on macOS and the BSDs. */
const MAX_PATH_BYTES = 103;

/** Short, so that the path of what is bound in it is not the longer one. */
const HIDDEN = '.c-';
const NAME = 'control.sock';
const POINTER = 'control.json';
/** What nobody but the owner may connect to. */
const MODE = 0o600;

/**
 * Where the control socket of a cache directory is: there, or where `control.json` says. Nobody need be listening.
 */
export async function findControlSocket(directory: string): Promise<string> {
  return (await readPointer(directory)) ?? join(resolve(directory), NAME);
}

/**
 * Listens on a Unix socket that only this process's user can connect to: `control.sock` in the cache directory, or
 * where its path would be too long or its file system has no sockets, in a directory of its own under
 * `temporaryDirectory`, which `control.json` tells. What an earlier process has left is replaced.
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
      // No sockets there (some network file systems), or no right to; the other place says what is wrong if it is us.
    }
  }
  return listenElsewhere(options, directory);
}

/** Bound in a directory that nobody else can look into, the socket is private before it is where others look for it. */
async function listenInside(
  { app }: ControlSocketOptions,
  directory: string,
  path: string,
): Promise<ControlSocket> {
  await removeHidden(directory);
  const hidden = await mkdtemp(join(directory, HIDDEN));
  let server: Server | undefined;
  try {
    const bound = join(hidden, 's');
    server = await listenAt(app, bound);
    await rename(bound, path);
  } catch (error) {
    server?.close();
    throw error;
  } finally {
    await rm(hidden, { recursive: true, force: true });
  }
  return controlSocket(server, path, () => rm(path, { force: true }));
}

async function listenElsewhere(
  { app, temporaryDirectory }: ControlSocketOptions,
  directory: string,
): Promise<ControlSocket> {
  const own = await mkdtemp(join(temporaryDirectory, 'larder-'));
  try {
    const path = join(own, NAME);
    const server = await listenAt(app, path);
    await writeFile(join(directory, POINTER), JSON.stringify({ socket: path }), { mode: MODE });
    return controlSocket(server, path, () => removeFallback(directory));
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw error;
  }
}

async function listenAt(app: ControlSocketOptions['app'], path: string): Promise<Server> {
  const handle = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  // A verification takes hours; the client sends its requests at once.
  const server = createServer((incoming, outgoing) => void handle(incoming, outgoing));
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, MODE);
  return server;
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

/** What a crash has left between binding and renaming. */
async function removeHidden(directory: string): Promise<void> {
  const names = await readdir(directory);
  for (const name of names.filter((name) => name.startsWith(HIDDEN))) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Removes the socket outside the cache directory, which this or an earlier process has made. */
async function removeFallback(directory: string): Promise<void> {
  const path = await readPointer(directory);
  if (path === undefined) return;
  const own = dirname(path);
  // The file is ours, but what is removed by force had better look like it as well.
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
