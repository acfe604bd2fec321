import type { Listening } from '../../src/server/listening/listen.ts';

/** Returns the port that a server listens on. @throws Error if it listens on a Unix socket */
export function portOf({ address }: Pick<Listening, 'address'>): number {
  if ('port' in address) return address.port;
  throw new Error(`${address.path} has no port`);
}
