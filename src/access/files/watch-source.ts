import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import { differences, NO_DIFFERENCES } from './differences.ts';
import { WatchedFile } from './watched-file.ts';

export interface WatchParts {
  readonly clock: Clock;
  readonly events: Events;
}

export interface WatchedSource<T> {
  readonly source: 'users' | 'tokens';
  readonly path: string;
  parse(path: string, text: string): T;
  /** As in WatchedFileOptions. */
  readonly missing?: T;
  /** Returns the names that an event tells, and for each what changes when it is altered. */
  readonly entries: (value: T) => ReadonlyMap<string, string>;
}

/**
 * Opens a file that says who may log in, and tells its changes by events.
 * @throws the file system's error, or the parser's
 */
export function watchSource<T>(
  source: WatchedSource<T>,
  { clock, events }: WatchParts,
): Promise<WatchedFile<T>> {
  const { source: name, path, missing, entries } = source;
  const changed = { kind: 'access-changed', source: name } as const;
  return WatchedFile.open<T>({
    path,
    clock,
    parse: (text) => source.parse(path, text),
    ...(missing !== undefined && { missing }),
    onChange: (now, before) =>
      events.emit({ ...changed, state: 'changed', ...differences(entries(before), entries(now)) }),
    onUnusable: (error) => events.emit({ ...changed, state: 'unusable', ...NO_DIFFERENCES, error }),
  });
}
