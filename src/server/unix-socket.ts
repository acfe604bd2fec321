import { once } from 'node:events';
import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';

/** Prefix of the folder that the socket is bound in. Short: the path of a socket may have 103 bytes. */
export const HIDDEN = '.c-';

/** A Unix socket that a server listens on. */
export interface BoundSocket {
  /** Removes the file, unless another process has put its own socket there. */
  remove(): Promise<void>;
}

/**
 * Makes a server listen on a Unix socket. The socket is bound in a folder that no other user can enter and then renamed,
 * so that it has its mode before any client can connect. It takes the place of a socket that no process listens on.
 * @param mode which users may connect: those that may write the file
 * @throws the system's error; EADDRINUSE if a process listens there, EEXIST if the path is no socket
 */
export async function bindUnixSocket(server: Server, path: string, mode: number): Promise<BoundSocket> {
  const found = await whatIsAt(path);
  if (found === 'live') throw problem('EADDRINUSE', `another process listens on ${path}`);
  if (found === 'other') throw problem('EEXIST', `${path} is no socket`);
  const hidden = await mkdtemp(join(dirname(path), HIDDEN));
  try {
    const bound = join(hidden, 's');
    server.listen(bound);
    await once(server, 'listening');
    await chmod(bound, mode);
    const { dev, ino } = await lstat(bound);
    await rename(bound, path);
    return { remove: () => removeIf(path, (now) => now.dev === dev && now.ino === ino) };
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(hidden, { recursive: true, force: true });
  }
}

async function whatIsAt(path: string): Promise<'nothing' | 'dead' | 'live' | 'other'> {
  const found = await lstat(path).catch((error: unknown) => unlessAbsent(error));
  if (found === undefined) return 'nothing';
  if (!found.isSocket()) return 'other';
  const client = connect(path);
  try {
    await once(client, 'connect');
    return 'live';
  } catch (error) {
    // EAGAIN: a process listens, but does not take connections now. EACCES: it is not this user's.
    if (isCode(error, 'ECONNREFUSED')) return 'dead';
    if (isCode(error, 'EAGAIN')) return 'live';
    return unlessAbsent(error) ?? 'nothing';
  } finally {
    client.destroy();
  }
}

async function removeIf(path: string, isOwn: (now: { dev: number; ino: number }) => boolean): Promise<void> {
  const now = await lstat(path).catch((error: unknown) => unlessAbsent(error));
  if (now !== undefined && isOwn(now)) await rm(path, { force: true });
}

function unlessAbsent(error: unknown): undefined {
  if (!isCode(error, 'ENOENT')) throw error;
  return undefined;
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}

function problem(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
