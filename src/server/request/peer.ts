import type { Socket } from 'node:net';

/** The address of what connects to a Unix socket, in place of the one that it lacks. */
export const UNIX_PEER = 'unix';

/** Returns the address of a connection's other end: empty if it has gone already. */
export type PeerOf = (socket: Pick<Socket, 'remoteAddress'>) => string;

/** Returns how the other end is named. @param isUnix whether the server listens on a Unix socket */
export function peerNaming(isUnix: boolean): PeerOf {
  return isUnix ? () => UNIX_PEER : ({ remoteAddress }) => remoteAddress ?? '';
}
