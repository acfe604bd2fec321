import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { attempt, attemptUnlessAbsent } from '../../store/fs/io.ts';
import { openBundle, type OpenedBundle } from '../reading/open-bundle.ts';
import { UploadError } from './upload-error.ts';
import { formatUploadName, isFingerprint, parseUploadName, type UploadName } from './upload-file.ts';

export interface UploadsOptions {
  /** The folder of the uploads, which is created with the first. Nothing else is in it. */
  readonly directory: string;
  readonly clock: Clock;
  /** Makes the ids of uploads. */
  readonly randomId: () => string;
  /** Bytes free on the disk. Rejects when they cannot be told. */
  readonly freeBytes: () => Promise<number>;
  /** Bytes that must stay free there. */
  readonly minFree: number;
  /** Greatest number of bytes that the cache keeps; undefined: unlimited. */
  readonly maxSize: number | undefined;
}

/** An upload: a bundle that comes in pieces before it is imported. */
export interface Upload {
  readonly id: string;
  /** Bytes of the whole bundle. */
  readonly size: number;
  /** Bytes that are here: the next ones begin there. */
  readonly offset: number;
}

interface Found extends UploadName {
  readonly path: string;
  readonly offset: number;
  readonly writtenAt: number;
}

/** Greatest number of uploads at a time. */
const MAX_UPLOADS = 8;

/** Time without a write after which an upload is given up. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000;

/**
 * Keeps bundles that are uploaded, until they are imported. An upload goes on where it was interrupted, also after a
 * restart: its sender opens it again by the same size and fingerprint. Their number, their sizes and their age are
 * bounded.
 */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #busy = new Set<string>();
  #opening: Promise<unknown> = Promise.resolve();

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /**
   * Opens an upload: the one of that size and fingerprint, if it has begun before, else a new one.
   * @param fingerprint 64 hex digits that tell the bundle from others, such as the hash of its first and last bytes
   * @throws UploadError, StoreError
   */
  async open(size: number, fingerprint: string): Promise<Upload> {
    if (!Number.isSafeInteger(size) || size < 1 || !isFingerprint(fingerprint)) {
      throw new UploadError('invalid', 'an upload has a size and a fingerprint of 64 hex digits');
    }
    // One after the other: two at once could both take the last room.
    const opened = this.#opening.then(() => this.#open(size, fingerprint));
    this.#opening = opened.catch(() => {});
    return opened;
  }

  /** Returns an upload as it is now. @throws UploadError `unknown`, StoreError */
  async get(id: string): Promise<Upload> {
    return shown(await this.#find(id));
  }

  /**
   * Writes bytes at the end of an upload. If it fails, or its caller goes away, what came before stays.
   * @param offset where the bytes begin: the upload's own offset
   * @throws UploadError, StoreError, and what reading the bytes throws
   */
  async write(id: string, offset: number, bytes: AsyncIterable<Uint8Array>): Promise<Upload> {
    return this.#alone(id, async (found) => {
      if (offset !== found.offset) {
        throw new UploadError('offset', `the upload has ${found.offset} bytes, and goes on there`);
      }
      await append(found, bytes);
      return shown(await this.#find(id));
    });
  }

  /** Ends an upload, and deletes what came. @throws UploadError, StoreError */
  async abort(id: string): Promise<void> {
    await this.#alone(id, (found) => remove(found));
  }

  /**
   * Does the work on a whole bundle. While it runs, nothing else is done with the upload. If it succeeds or `isFinal`
   * says of its error that the bundle is of no use, the upload ends.
   * @throws UploadError, StoreError, the error of the work
   */
  async use<T>(
    id: string,
    work: (bundle: OpenedBundle) => Promise<T>,
    isFinal: (error: unknown) => boolean,
  ): Promise<T> {
    return this.#alone(id, async (found) => {
      if (found.offset !== found.size) {
        throw new UploadError('offset', `the upload has ${found.offset} of ${found.size} bytes`);
      }
      const bundle = await attempt(`read ${found.path}`, () => openBundle(found.path));
      let isOver = true;
      try {
        return await work(bundle);
      } catch (error) {
        isOver = isFinal(error);
        throw error;
      } finally {
        if (isOver) await remove(found);
      }
    });
  }

  /** Deletes the uploads that nothing was written to for a day. @throws StoreError */
  async sweep(): Promise<void> {
    const now = this.#options.clock.now();
    for (const found of await this.#all()) {
      const isOld = now - found.writtenAt >= MAX_AGE_MS;
      if (isOld && !this.#busy.has(found.id)) await remove(found);
    }
  }

  async #open(size: number, fingerprint: string): Promise<Upload> {
    await this.sweep();
    const all = await this.#all();
    const begun = all.find((found) => found.size === size && found.fingerprint === fingerprint);
    if (begun !== undefined) return shown(begun);
    if (all.length >= MAX_UPLOADS) {
      throw new UploadError('busy', `${MAX_UPLOADS} uploads are open already: end one, or wait for a day`);
    }
    await this.#assertRoom(size, all);
    const { directory, randomId } = this.#options;
    const name = { id: randomId(), size, fingerprint };
    await attempt(`create an upload in ${directory}`, async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const handle = await open(join(directory, formatUploadName(name)), 'wx', 0o600);
      await handle.close();
    });
    return { id: name.id, size, offset: 0 };
  }

  async #assertRoom(size: number, others: readonly Found[]): Promise<void> {
    const { maxSize = Number.POSITIVE_INFINITY, minFree, freeBytes } = this.#options;
    const coming = others.reduce((sum, other) => sum + other.size - other.offset, size);
    const free = await freeBytes().catch(() => Number.POSITIVE_INFINITY);
    if (size <= maxSize && coming <= free - minFree) return;
    throw new UploadError(
      'full',
      `there is no room for an upload of ${size} bytes (cache.maxSize, cache.minFree)`,
    );
  }

  async #alone<T>(id: string, work: (found: Found) => Promise<T>): Promise<T> {
    if (this.#busy.has(id)) throw new UploadError('busy', 'the upload is being written or imported');
    this.#busy.add(id);
    try {
      return await work(await this.#find(id));
    } finally {
      this.#busy.delete(id);
    }
  }

  async #find(id: string): Promise<Found> {
    const found = (await this.#all()).find((each) => each.id === id);
    if (found === undefined) throw new UploadError('unknown', 'there is no such upload: it may have expired');
    return found;
  }

  async #all(): Promise<readonly Found[]> {
    const { directory } = this.#options;
    const names = await attemptUnlessAbsent(`list ${directory}`, () => readdir(directory));
    const found: Found[] = [];
    for (const file of names ?? []) {
      const name = parseUploadName(file);
      const path = join(directory, file);
      const stats = name && (await attemptUnlessAbsent(`stat ${path}`, () => stat(path)));
      if (stats) found.push({ ...name, path, offset: stats.size, writtenAt: stats.mtimeMs });
    }
    return found;
  }
}

function shown({ id, size, offset }: Found): Upload {
  return { id, size, offset };
}

async function append({ path, size, offset }: Found, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await using handle = await attempt(`write ${path}`, () => open(path, 'a'));
  let position = offset;
  for await (const chunk of bytes) {
    if (position + chunk.length > size)
      throw new UploadError('invalid', `more than the ${size} bytes of the upload`);
    await attempt(`write ${path}`, () => handle.writeFile(chunk));
    position += chunk.length;
  }
}

function remove({ path }: Found): Promise<void> {
  return attempt(`delete ${path}`, () => rm(path, { force: true }));
}
