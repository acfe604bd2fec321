import { once } from 'node:events';
import { connect } from 'node:net';
import { OperatorError } from '../../operator/error.ts';

/**
 * Error codes that mean that no server listens: there is no socket, its server is gone, or no socket can have so long a
 * path.
 */
const ABSENT: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ENOTSOCK',
  'ENOTDIR',
  'EINVAL',
  'ENAMETOOLONG',
]);

/**
 * Returns whether a server listens on the socket.
 * @throws OperatorError if this process has no permission to connect
 */
export async function isListening(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (ABSENT.has(code)) return false;
    const message = `cannot connect to ${socketPath} (${code}): run this as the user that runs the server`;
    throw new OperatorError('failed', message, { cause: error });
  } finally {
    socket.destroy();
  }
}
