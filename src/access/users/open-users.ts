import type { WatchedFile } from '../files/watched-file.ts';
import { watchSource, type WatchParts } from '../files/watch-source.ts';
import { parseUsers, type Users } from './users.ts';

/**
 * Opens an htpasswd file. It is read again within about a second when it changes.
 * @throws Error if it is missing or damaged
 */
export function openUsers(path: string, parts: WatchParts): Promise<WatchedFile<Users>> {
  const entries = (users: Users): ReadonlyMap<string, string> => users.hashes;
  return watchSource({ source: 'users', path, parse: parseUsers, entries }, parts);
}
