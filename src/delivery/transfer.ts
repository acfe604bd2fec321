import type { BlobReader } from '../store/blob-store.ts';
import type { BufferShare } from './buffer-shares.ts';
import type { Sink } from './sink.ts';

const NOTHING = new Uint8Array();

export interface TransferOptions {
  readonly reader: BlobReader;
  readonly sink: Sink;
  readonly start: number;
  /** Undefined: the end of the blob. */
  readonly end: number | undefined;
  readonly share: BufferShare;
}

/** One body that is being sent: its reader, its bytes, the sink they go to, and how many are sent. */
export class Transfer {
  readonly reader: BlobReader;
  readonly sink: Sink;
  /** The end of the body, exclusive; undefined: the end of the blob. */
  readonly end: number | undefined;
  /** Largest buffer that may be used, in bytes. */
  readonly bufferBytes: number;
  /** The next byte to send. */
  position: number;

  constructor({ reader, sink, start, end, share }: TransferOptions) {
    this.reader = reader;
    this.sink = sink;
    this.position = start;
    this.end = end;
    this.bufferBytes = share.bytes;
  }

  /** Waits for bytes. Returns up to where the body can be read; undefined at its end, or once the client has gone. */
  async available(): Promise<number | undefined> {
    const { position } = this;
    if (this.end !== undefined && position >= this.end) return undefined;
    const available = await this.sink.unlessGone(this.reader.available(position));
    if (available === undefined || available <= position) return undefined;
    return this.end === undefined ? available : Math.min(available, this.end);
  }

  /** Reads the next bytes, at most up to `upTo`, and sends them. `buffer` is free again when this resolves. */
  async sendThrough(buffer: Uint8Array, upTo: number): Promise<void> {
    const wanted = buffer.subarray(0, upTo - this.position);
    const count = await this.reader.read(wanted, this.position);
    const written = this.sink.write(wanted.subarray(0, count));
    if (!this.sink.isGone) this.position += count;
    await written;
  }

  /**
   * Ends the response, with the last bytes of the body if they are not sent yet.
   * @throws Error if the body is not whole
   */
  async finish(last: Uint8Array = NOTHING): Promise<void> {
    if (this.sink.isGone) return;
    this.position += last.length;
    if (this.end !== undefined && this.position < this.end) {
      throw new Error(`the blob ended at byte ${this.position} of ${this.end}`);
    }
    await this.sink.end(last);
  }
}
