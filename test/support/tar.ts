/** Tar archives as tests need them: also those that no honest writer makes. */
const BLOCK = 512;

export interface TarFile {
  readonly path: string;
  readonly bytes?: Uint8Array | string;
  /** One character (POSIX.1-2017 pax, "ustar Interchange Format"). Default: a file. */
  readonly type?: string;
  readonly link?: string;
  /** What the header says, whatever there is. */
  readonly size?: number;
}

/** Returns an archive of the files, in their order. */
export function tarOf(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.map(tarEntry), Buffer.alloc(2 * BLOCK)]);
}

/** Returns one entry: its header, its bytes, its padding. */
export function tarEntry({ path, bytes = '', type = '0', link = '', size }: TarFile): Buffer {
  const content = Buffer.from(bytes);
  const padding = Buffer.alloc(-content.length & (BLOCK - 1));
  return Buffer.concat([header(path, type, link, size ?? content.length), content, padding]);
}

/** Returns an entry of PAX attributes for the entry behind it. */
export function paxEntry(attributes: Readonly<Record<string, string>>): Buffer {
  const records = Object.entries(attributes).map(([key, value]) => {
    const record = ` ${key}=${value}\n`;
    const length = record.length + String(record.length + 2).length;
    return `${length}${record}`;
  });
  return tarEntry({ path: 'pax', type: 'x', bytes: records.join('') });
}

function header(path: string, type: string, link: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, 100);
  block.write('0000644\0', 100);
  if (size < 8 ** 11) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Passes bytes on in pieces. */
export async function* inPieces(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
