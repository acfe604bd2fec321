import { createTarPacker, packTar, type TarHeader } from 'modern-tar';

/** Bytes of a tar block: headers and files begin at a multiple. */
export const TAR_BLOCK = 512;

/** The two empty blocks that end an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_BLOCK);

/** A first byte of a file's content: what is written before it is the header. */
const FIRST = new Uint8Array(1);

/**
 * Returns the header of a file in a tar archive, without the file: so the place of every byte of an archive is known
 * before any content is read. The header depends on path and size alone. A path of more than 100 bytes and a size over
 * 8 GiB take PAX records.
 */
export async function tarHeader(path: string, size: number): Promise<Uint8Array> {
  const header: TarHeader = { name: path, size, type: 'file', mode: 0o644, mtime: new Date(0) };
  if (size === 0) return (await packTar([{ header }])).subarray(0, -TAR_END.length);
  const { readable, controller } = createTarPacker();
  const writer = controller.add(header).getWriter();
  const ended = Promise.allSettled([writer.write(FIRST), writer.closed]);
  const blocks: Uint8Array[] = [];
  for await (const chunk of readable) {
    if (chunk === FIRST) break;
    blocks.push(chunk);
  }
  await ended;
  return Buffer.concat(blocks);
}

/** Returns the number of zero bytes after a file's content. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}
