import { gzipSync } from 'node:zlib';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';

/** A layer that clients can pull file by file. */
export interface Estargz {
  readonly bytes: Buffer;
  /** The digest of the tar inside. */
  readonly diffId: Digest;
  /** The layer's annotation, by which a client checks the table of contents. */
  readonly annotations: Readonly<Record<string, string>>;
}

const BLOCK = 512;

/**
 * Makes a layer in the eStargz format: each file's bytes begin a gzip member. After the files come a table of contents
 * with their offsets, and a footer with the table's offset. A file ends where the next one begins, so that the parts of
 * neighbours touch.
 * @param files content by name
 */
export function estargz(files: ReadonlyMap<string, Buffer>): Estargz {
  const entries: object[] = [];
  const members: Buffer[] = [];
  const tar: Buffer[] = [];
  let offset = 0;
  const add = (part: Buffer): void => {
    const member = gzipSync(part, { level: 1 });
    tar.push(part);
    members.push(member);
    offset += member.length;
  };
  let before: Buffer = Buffer.alloc(0);
  for (const [name, content] of files) {
    add(Buffer.concat([before, header(name, content.length)]));
    const digest = digestOf(content);
    const what = { name, type: 'reg', size: content.length, mode: 0o644, modtime: '2024-01-01T00:00:00Z' };
    entries.push({ ...what, offset, digest, chunkDigest: digest });
    add(content);
    before = padding(content.length);
  }
  const tocOffset = offset + gzipSync(before, { level: 1 }).length;
  add(before);
  const toc = Buffer.from(JSON.stringify({ version: 1, entries }));
  const end = Buffer.alloc(2 * BLOCK);
  add(Buffer.concat([header('stargz.index.json', toc.length), toc, padding(toc.length), end]));
  return {
    bytes: Buffer.concat([...members, footer(tocOffset)]),
    diffId: digestOf(Buffer.concat(tar)),
    annotations: { 'containerd.io/snapshot/stargz/toc.digest': digestOf(toc) },
  };
}

/** Makes a file's header in a tar (POSIX ustar). */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  for (const [at, number] of ['0000644', '0000000', '0000000'].entries()) block.write(number, 100 + 8 * at);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write(`${(0).toString(8).padStart(11, '0')}\0`, 136);
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar', 257);
  block.write('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Makes an empty gzip member of 51 bytes whose extra field is the offset. */
function footer(tocOffset: number): Buffer {
  const extra = Buffer.from(`${tocOffset.toString(16).padStart(16, '0')}STARGZ`);
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
  const lengths = Buffer.from([extra.length + 4, 0, 0x53, 0x47, extra.length, 0]);
  const nothing = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, lengths, extra, nothing]);
}
