import { open, stat } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { isMissing } from '../missing-file.ts';

export interface WatchedFileOptions<T> {
  readonly path: string;
  readonly clock: Clock;
  /** @throws Error if the file is damaged */
  parse(text: string): T;
  /** What a file means that is missing from the start; absent: that is a mistake. */
  readonly missing?: T;
  /** Called with the new value and the one before, which are alike if the file was unusable meanwhile. */
  onChange(now: T, before: T): void;
  /** Called once for each reason why the file cannot be used. The value stays what it was. */
  onUnusable(error: unknown): void;
}

const POLL_MS = 1000;
/** Ten thousand users take one megabyte. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The value of a file, which is read again within about a second when the file changes: by asking for its state, since
 * notifications miss what changes behind a symbolic link or on a network disk. A file that vanishes or is damaged
 * leaves the value as it was.
 */
export class WatchedFile<T> implements AsyncDisposable {
  readonly #options: WatchedFileOptions<T>;
  #value: T;
  /** What was last read; undefined: nothing, or what could not be used. */
  #text: string | undefined;
  #version: string | undefined;
  /** Whether the file was read since a whole poll ago: a change within one tick of the disk's clock has no version. */
  #isSettled = false;
  #problem: string | undefined;
  #polling: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  private constructor(options: WatchedFileOptions<T>, text: string | undefined, value: T) {
    this.#options = options;
    this.#text = text;
    this.#value = value;
    this.#schedule();
  }

  /**
   * Reads the file for the first time.
   * @throws the file system's error, or what `parse` throws
   */
  static async open<T>(options: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
    const { path, missing } = options;
    const text = await readBounded(path).catch((error: unknown) => {
      if (missing !== undefined && isMissing(error)) return undefined;
      throw error;
    });
    return new WatchedFile(options, text, text === undefined ? (missing as T) : options.parse(text));
  }

  get value(): T {
    return this.#value;
  }

  /** Reads the file now if it has changed, and resolves when its value is in use. Never throws. */
  refresh(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#polling;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(POLL_MS, () => void this.refresh().then(() => this.#schedule()));
  }

  async #poll(): Promise<void> {
    try {
      const version = await versionOf(this.#options.path);
      if (version === this.#version && this.#isSettled) return;
      this.#isSettled = version === this.#version;
      this.#version = version;
      const text = await readBounded(this.#options.path);
      // It is being written: the next poll sees it as a whole.
      if ((await versionOf(this.#options.path)) !== version) return;
      if (text !== this.#text) this.#use(text);
      this.#problem = undefined;
    } catch (error) {
      if (isMissing(error) && this.#text === undefined && this.#problem === undefined) return;
      this.#complain(error);
    }
  }

  #use(text: string): void {
    const value = this.#options.parse(text);
    const before = this.#value;
    this.#value = value;
    this.#text = text;
    this.#options.onChange(value, before);
  }

  #complain(error: unknown): void {
    this.#text = undefined;
    this.#version = undefined;
    const problem = error instanceof Error ? error.message : String(error);
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onUnusable(error);
  }
}

/** Kubernetes puts another file in place of a mounted one; an editor writes into it. */
async function versionOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

async function readBounded(path: string): Promise<string> {
  await using handle = await open(path, 'r');
  const { size } = await handle.stat();
  if (size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`);
  return await handle.readFile('utf8');
}
