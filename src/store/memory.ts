import type { Digest } from '../oci/digest.ts';
import type { BlobStore, Listed } from './blob-store.ts';
import type { Quarantine } from './capabilities.ts';
import { SpooledIngest } from './ingest.ts';
import { Progress } from './progress.ts';
import { ProgressReader } from './reader.ts';
import type { Source, Spool } from './spool.ts';

/** Creates the reference implementation, for tests: all that a store does, in memory alone. */
export function createMemoryStore(): BlobStore {
  const blobs = new Map<Digest, GrowingBytes>();
  const setAside: { readonly digest: Digest | undefined; readonly bytes: GrowingBytes }[] = [];

  function createSpool(): Spool {
    const bytes = new GrowingBytes();
    return {
      append: async (chunks) => {
        for (const chunk of chunks) bytes.append(chunk);
      },
      open: async () => createSource(bytes),
      publish: async ({ digest }) => {
        blobs.set(digest, bytes);
      },
      quarantine: async (digest) => {
        setAside.push({ digest, bytes });
      },
      discard: async () => undefined,
    };
  }

  const quarantine: Quarantine = {
    async setAside(digest) {
      const bytes = blobs.get(digest);
      if (bytes !== undefined) setAside.push({ digest, bytes });
      return blobs.delete(digest);
    },
    async stats() {
      const sum = setAside.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const digests = new Set(setAside.map(({ digest }) => digest).filter((digest) => digest !== undefined));
      return { blobs: setAside.length, bytes: sum, digests: [...digests] };
    },
    async drop(bytes) {
      let dropped = 0;
      while (dropped < bytes && setAside.length > 0) dropped += setAside.shift()?.bytes.length ?? 0;
      return dropped;
    },
  };

  return {
    async stat(digest) {
      const bytes = blobs.get(digest);
      return bytes && { digest, size: bytes.length };
    },
    async open(digest) {
      const bytes = blobs.get(digest);
      return bytes && new ProgressReader(Progress.complete(bytes.length), createSource(bytes));
    },
    ingest: (options) => SpooledIngest.begin(options, async () => createSpool()),
    delete: async (digest) => blobs.delete(digest),
    quarantine,
    async *list(): AsyncGenerator<Listed> {
      for (const [digest, bytes] of blobs) yield { digest, size: bytes.length };
    },
  };
}

class GrowingBytes {
  length = 0;
  #buffer = new Uint8Array(1024);

  append(chunk: Uint8Array): void {
    this.#reserve(this.length + chunk.byteLength);
    this.#buffer.set(chunk, this.length);
    this.length += chunk.byteLength;
  }

  slice(start: number, end: number): Uint8Array {
    return this.#buffer.subarray(start, Math.min(end, this.length));
  }

  #reserve(length: number): void {
    if (length <= this.#buffer.byteLength) return;
    const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.byteLength));
    larger.set(this.slice(0, this.length));
    this.#buffer = larger;
  }
}

function createSource(bytes: GrowingBytes): Source {
  return {
    fd: undefined,
    async read(into, position) {
      const chunk = bytes.slice(position, position + into.byteLength);
      into.set(chunk);
      return chunk.byteLength;
    },
    close: async () => undefined,
  };
}
