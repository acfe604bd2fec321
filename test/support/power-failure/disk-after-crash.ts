import { basename, dirname } from 'node:path';
import type { Change, LogEntry } from './disk-log.ts';

/** A possible content of a path after a power failure: nothing, a directory, or a file. */
export type Possibility = Folder | File | undefined;

interface Step {
  /** The parts of the disk that it changes. */
  readonly parts: readonly Part[];
  /** Makes durable what was there when a sync began, once this sync has succeeded. */
  readonly makeDurable?: (() => void) | undefined;
}

/** One thing that a change does to one name or one file. */
interface Part {
  readonly undo: () => void;
  readonly end: () => void;
}

/**
 * The states of a disk that POSIX allows after a power failure. A name is durable after a sync of its directory, and
 * bytes after a sync of their file. Before that each name and each write may be there or not, independently of all
 * others, from the moment the change has begun. So a rename may leave both names, or neither.
 *
 * Names and files are independent, so a possible state of the disk is any choice of one possibility for each of them:
 * if each possibility is right, every state after a crash is right.
 */
export class DiskAfterCrash {
  readonly #root: string;
  readonly #top = new Folder();
  readonly #files = new Map<number, File>();
  readonly #steps = new Map<number, Step>();
  #time = 0;

  /** @param root a directory that is durable, and empty */
  constructor(root: string) {
    this.#root = root;
  }

  apply(entry: LogEntry<unknown>): void {
    if (entry.phase === 'told') return;
    this.#time += 1;
    if (entry.phase === 'begin') {
      this.#steps.set(entry.step, this.#begin(entry.change));
      return;
    }
    const step = this.#steps.get(entry.step);
    if (entry.phase === 'end') step?.makeDurable?.();
    for (const part of step?.parts ?? []) part[entry.phase === 'end' ? 'end' : 'undo']();
    this.#steps.delete(entry.step);
  }

  /** Returns all possible contents of the path, each once. */
  possible(path: string): readonly Possibility[] {
    if (path === this.#root) return [this.#top];
    const above = this.possible(dirname(path));
    return [...new Set(above.flatMap((folder) => possibleIn(folder, basename(path))))];
  }

  /** Returns every name that may be in the directory. */
  names(path: string): readonly string[] {
    const folders = this.possible(path).filter((folder) => folder instanceof Folder);
    return [...new Set(folders.flatMap((folder) => [...folder.names.keys()]))];
  }

  #begin(change: Change): Step {
    switch (change.kind) {
      case 'create': {
        const file = new File();
        this.#files.set(change.file, file);
        return { parts: [this.#put(change.path, file)] };
      }
      case 'mkdir':
        return { parts: [this.#put(change.path, new Folder())] };
      case 'remove':
        return { parts: [this.#put(change.path, undefined)] };
      case 'rename': {
        const moved = this.#folderOf(change.from)?.names.get(basename(change.from))?.newest;
        return { parts: [this.#put(change.to, moved), this.#put(change.from, undefined)] };
      }
      case 'write':
        return { parts: [this.#file(change.file).write(change)] };
      case 'sync':
        return { parts: [], makeDurable: this.#file(change.file).beginSync() };
      case 'sync-directory':
        return { parts: [], makeDurable: this.#folderAt(change.path)?.beginSync() };
    }
  }

  #put(path: string, value: Possibility): Part {
    const name = this.#folderOf(path)?.name(basename(path));
    return name?.put(value, () => this.#time) ?? { undo: () => {}, end: () => {} };
  }

  #folderOf(path: string): Folder | undefined {
    return this.#folderAt(dirname(path));
  }

  /** Returns the directory as the running program sees it. */
  #folderAt(path: string): Folder | undefined {
    if (path === this.#root) return this.#top;
    if (!path.startsWith(this.#root)) return undefined;
    const folder = this.#folderOf(path)?.names.get(basename(path))?.newest;
    return folder instanceof Folder ? folder : undefined;
  }

  #file(number: number): File {
    return this.#files.get(number)!;
  }
}

function possibleIn(folder: Possibility, name: string): readonly Possibility[] {
  return folder instanceof Folder ? (folder.names.get(name)?.possible ?? [undefined]) : [undefined];
}

export class Folder {
  readonly names = new Map<string, Name>();

  name(name: string): Name {
    const known = this.names.get(name) ?? new Name();
    this.names.set(name, known);
    return known;
  }

  beginSync(): () => void {
    const syncs = [...this.names.values()].map((name) => name.beginSync());
    return () => {
      for (const sync of syncs) sync();
    };
  }
}

/** A content that a name was given, and when. */
interface Put {
  readonly value: Possibility;
  readonly begunAt: number;
  endedAt: number | undefined;
}

/** A name in a directory. */
class Name {
  /** The contents that it may have. At first it has durably none. */
  #puts: readonly Put[] = [{ value: undefined, begunAt: 0, endedAt: 0 }];

  get possible(): readonly Possibility[] {
    return this.#puts.map(({ value }) => value);
  }

  get newest(): Possibility {
    return this.#puts.at(-1)?.value;
  }

  put(value: Possibility, now: () => number): Part {
    const put: Put = { value, begunAt: now(), endedAt: undefined };
    this.#puts = [...this.#puts, put];
    return {
      undo: () => {
        this.#puts = this.#puts.filter((other) => other !== put);
      },
      end: () => {
        put.endedAt = now();
      },
    };
  }

  /** A content that was replaced before the sync began cannot come back. Concurrent changes may end in either order. */
  beginSync(): () => void {
    const ended = this.#puts.filter(({ endedAt }) => endedAt !== undefined);
    const overtaken = new Set(ended.filter(({ endedAt }) => ended.some(({ begunAt }) => begunAt > endedAt!)));
    return () => {
      this.#puts = this.#puts.filter((put) => !overtaken.has(put));
    };
  }
}

interface Write {
  readonly position: number;
  readonly bytes: Uint8Array;
  hasEnded: boolean;
}

export class File {
  #writes: readonly Write[] = [];
  #durable: ReadonlySet<Write> = new Set();

  /** The least and the most bytes that may be in it. If the least is wrong, so is everything in between. */
  get contents(): readonly Buffer[] {
    const least = bytesOf(this.#writes.filter((write) => this.#durable.has(write)));
    return this.#durable.size === this.#writes.length ? [least] : [least, bytesOf(this.#writes)];
  }

  write({ position, bytes }: Pick<Write, 'position' | 'bytes'>): Part {
    const write: Write = { position, bytes, hasEnded: false };
    this.#writes = [...this.#writes, write];
    return {
      undo: () => {},
      end: () => {
        write.hasEnded = true;
      },
    };
  }

  beginSync(): () => void {
    const written = this.#writes.filter(({ hasEnded }) => hasEnded);
    return () => {
      this.#durable = new Set([...this.#durable, ...written]);
    };
  }
}

function bytesOf(writes: readonly Write[]): Buffer {
  const content = Buffer.alloc(Math.max(0, ...writes.map(({ position, bytes }) => position + bytes.length)));
  for (const { position, bytes } of writes) content.set(bytes, position);
  return content;
}
