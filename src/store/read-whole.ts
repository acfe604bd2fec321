import type { BlobReader } from './blob-store.ts';

/** Reads a small committed blob into memory, and closes the reader. */
export async function readWhole(reader: BlobReader): Promise<Uint8Array> {
  try {
    const end = await waitForEnd(reader);
    const bytes = new Uint8Array(end);
    for (let position = 0; position < end;) {
      position += await reader.read(bytes.subarray(position), position);
    }
    return bytes;
  } finally {
    await reader.close();
  }
}

/** Waits until the last byte may be read, without reading any. @returns the total bytes */
export async function waitForEnd(reader: BlobReader): Promise<number> {
  let position = 0;
  for (;;) {
    const end = await reader.available(position);
    if (end === position) return end;
    position = end;
  }
}
