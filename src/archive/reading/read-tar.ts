import { createTarDecoder, type ParsedTarEntry } from 'modern-tar';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import { entryPath, type BundleEntry } from './bundle-entry.ts';
import { decompressed } from './decompressed.ts';
import { Meter } from './meter.ts';

/** Greatest number of entries: a thousand images have a tenth of it. Each takes some hundred bytes of memory. */
export const MAX_ENTRIES = 50_000;

/**
 * Reads the entries of a tar archive, compressed or not, in the order in which they stand there. Each entry's bytes are
 * read before the next one is asked for; bytes that are not read are passed over. Nothing is written anywhere.
 * @throws BundleError if the archive is broken or cut off, leads out of itself, or has devices, hard links or more than
 * 50,000 entries; what reading the bytes throws
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<BundleEntry> {
  const meter = new Meter();
  const source = new Watched(meter.measured(decompressed(bytes)));
  const reading = source.read();
  let count = 0;
  try {
    const stream = ReadableStream.from(reading).pipeThrough(createTarDecoder({ strict: true }));
    for await (const entry of stream) {
      count += 1;
      if (count > MAX_ENTRIES) throw new BundleError(`it has more than ${MAX_ENTRIES} entries`);
      meter.allow(entry.header.size);
      if (entry.header.type !== 'directory') yield toBundleEntry(entry, source);
      await entry.body.cancel().catch(() => {});
    }
  } catch (error) {
    throw source.explained(error);
  } finally {
    // Only then is the source closed, whether or not all of it was read.
    await reading.return(undefined);
  }
}

function toBundleEntry({ header, body }: ParsedTarEntry, source: Watched): BundleEntry {
  const path = entryPath(header.name);
  const { size, type = 'file', linkname = '' } = header;
  if (type === 'symlink') return { path, size: 0, target: linkname, bytes: source.explaining(body) };
  if (type !== 'file') throw new BundleError(`${quoted(path)} is a ${type}, which no image has`);
  return { path, size, bytes: source.explaining(body) };
}

/** Tells what is wrong with the source of an archive from what is wrong with the archive. */
class Watched {
  readonly #source: AsyncIterable<Uint8Array>;
  #failure: { readonly error: unknown } | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#source = bytes;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#source) yield chunk;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Passes bytes of an entry on, and says of an error what it means. */
  async *explaining(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.explained(error);
    }
  }

  explained(error: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    if (!(error instanceof Error) || error.constructor !== Error) return error;
    return new BundleError(`it is no whole tar archive: ${error.message}`, { cause: error });
  }
}
