import type { BlobReader, BlobStore, Ingest } from '../../src/store/blob-store.ts';
import { StoreError } from '../../src/store/error.ts';

/** How a disk fails; parts that are left out work. */
export interface DiskFault {
  /** The share of each blob that can be written before the disk is full. */
  readonly fullFrom?: number;
  /** The share of each blob that can be read before an I/O error. */
  readonly unreadableFrom?: number;
}

/** A disk that fails when the test says so. */
export class FailingDisk {
  fault: DiskFault = {};

  wrap(store: BlobStore): BlobStore {
    return {
      stat: (digest) => store.stat(digest),
      delete: (digest) => store.delete(digest),
      quarantine: store.quarantine,
      list: () => store.list(),
      open: async (digest) => {
        const reader = await store.open(digest);
        return reader && this.#reader(reader);
      },
      ingest: async (expected) => {
        if (this.fault.fullFrom === 0) throw full('begin a blob');
        return this.#ingest(await store.ingest(expected));
      },
    };
  }

  #ingest(ingest: Ingest): Ingest {
    const write = ingest.write.bind(ingest);
    const follow = ingest.follow.bind(ingest);
    ingest.write = async (chunks) => {
      const room = limit(this.fault.fullFrom, ingest.expected.size);
      const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
      if (ingest.offset + bytes <= room) return write(chunks);
      const error = full('write a blob');
      await ingest.abort(error);
      throw error;
    };
    ingest.follow = async () => this.#reader(await follow());
    return ingest;
  }

  #reader(reader: BlobReader): BlobReader {
    const read = reader.read.bind(reader);
    reader.read = async (into, position) => {
      const end = limit(this.fault.unreadableFrom, reader.size);
      const readable = into.subarray(0, Math.max(0, end - position));
      if (readable.length === 0) throw new StoreError('read a blob', { code: 'EIO' });
      return read(readable, position);
    };
    // Through the descriptor, a caller could read the bytes past this wrapper.
    Object.defineProperty(reader, 'fd', { value: undefined });
    return reader;
  }
}

/** Returns the offset at which a share of a blob ends. */
function limit(share: number | undefined, size: number | undefined): number {
  return share === undefined || size === undefined ? Number.POSITIVE_INFINITY : Math.floor(share * size);
}

function full(operation: string): StoreError {
  return new StoreError(operation, { code: 'ENOSPC' });
}
