import { isIP, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The address of what connects to a Unix socket, in place of the one that it lacks. */
export const UNIX_PEER = 'unix';

/** Returns the address of a connection's other end: empty if it has gone already. */
export type PeerOf = (socket: Pick<Socket, 'remoteAddress'>) => string;

/** Whether a client, as `PeerOf` or a trusted proxy names it, is on this machine (RFC 6890: 127.0.0.0/8, ::1). */
export function isOnThisMachine(client: string): boolean {
  if (client === UNIX_PEER) return true;
  return isIP(client) !== 0 && ipaddr.process(client).range() === 'loopback';
}

/** Returns how the other end is named. @param isUnix whether the server listens on a Unix socket */
export function peerNaming(isUnix: boolean): PeerOf {
  return isUnix ? () => UNIX_PEER : ({ remoteAddress }) => remoteAddress ?? '';
}
