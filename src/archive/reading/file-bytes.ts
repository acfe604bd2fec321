import type { FileHandle } from 'node:fs/promises';

/** Bytes of a read: large enough that a stream costs little for each, small enough that nothing waits for it. */
const CHUNK = 512 * 1024;

/**
 * Reads an open file from `start` to its end. The caller closes it.
 * @param onRead called with the number of bytes of each chunk
 */
export async function* fileBytes(
  handle: Pick<FileHandle, 'read'>,
  onRead: (bytes: number) => void = () => {},
  start = 0,
): AsyncGenerator<Uint8Array> {
  for (let position = start; ;) {
    // Each chunk has a buffer of its own: its reader may keep it.
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    const { bytesRead } = await handle.read(buffer, 0, CHUNK, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    onRead(bytesRead);
    yield buffer.subarray(0, bytesRead);
  }
}
