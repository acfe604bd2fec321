import type { ServerResponse } from 'node:http';
import type { BlobReader } from '../store/blob-store.ts';
import { BufferShares } from './buffer-shares.ts';
import { sendByReading } from './by-reading.ts';
import { sendBySendfile } from './by-sendfile.ts';
import type { Sendfile } from './sendfile.ts';
import { Sink } from './sink.ts';
import { Transfer } from './transfer.ts';

/** Largest body in bytes that is sent in one piece with its headers. */
const AT_ONCE = 64 * 1024;

export interface Delivered {
  /** Bytes handed to the socket. */
  readonly bytes: number;
  /** Whether all bytes were sent; not, if the client left, or the bytes ended or failed before `end`. */
  readonly complete: boolean;
  /** Why it is not complete; undefined if the client left. */
  readonly error?: unknown;
}

/**
 * Sends the bytes `[start, end)` of a blob as the body of a response whose headers are written, at the client's speed,
 * with few of them in memory. Without `end` it sends to the end of the blob. It ends the response if, and only if,
 * every byte was sent; otherwise it cuts the connection, so that no client takes a part for the whole. The caller must
 * close the reader.
 * @param idleMs longest time in milliseconds in which the client may take nothing; 0: for ever
 */
export type Deliver = (
  reader: BlobReader,
  start: number,
  end: number | undefined,
  response: ServerResponse,
  idleMs?: number,
) => Promise<Delivered>;

/** Makes the function that delivers bodies. @param sendfile absent: every body goes through this process */
export function createDeliver(sendfile?: Sendfile, shares = new BufferShares()): Deliver {
  const unsent = sendfile && ((socket: number) => sendfile.unsent(socket));
  return async (reader, start, end, response, idleMs = 0) => {
    using share = shares.take();
    const sink = new Sink(response, { idleMs, unsent });
    const transfer = new Transfer({ reader, sink, start, end, share });
    const result = (): Delivered => ({ bytes: transfer.position - start, complete: sink.isFinished });
    try {
      await send(transfer, sendfile);
      return sink.isFinished ? result() : { ...result(), error: sink.idleError };
    } catch (error) {
      const wasGone = sink.isGone;
      sink.cut();
      return { ...result(), complete: false, error: wasGone ? sink.idleError : error };
    } finally {
      sink.release();
    }
  };
}

async function send(transfer: Transfer, sendfile: Sendfile | undefined): Promise<void> {
  const whole = await readAtOnce(transfer);
  if (whole !== undefined) return transfer.finish(whole);
  const hasFile = transfer.reader.fd !== undefined;
  await (sendfile !== undefined && hasFile ? sendBySendfile(transfer, sendfile) : sendByReading(transfer));
  await transfer.finish();
}

/** Reads the whole body if it is small and at hand: together with its headers it is sent as one packet. */
async function readAtOnce(transfer: Transfer): Promise<Uint8Array | undefined> {
  const { reader, sink, position, end = Number.POSITIVE_INFINITY } = transfer;
  // Bytes at hand arrive before this callback; the headers do not wait for any others.
  const flush = setImmediate(() => sink.flushHeaders());
  let upTo: number | undefined;
  try {
    upTo = await transfer.available();
  } finally {
    clearImmediate(flush);
  }
  if (upTo !== end || end - position > AT_ONCE) return undefined;
  const whole = Buffer.allocUnsafe(end - position);
  let count = await reader.read(whole, position);
  while (count < whole.length) {
    // If the disk has failed meanwhile, the rest comes from upstream, and has yet to arrive.
    const rest = await sink.unlessGone(reader.available(position + count));
    if (rest === undefined || rest <= position + count) break;
    count += await reader.read(whole.subarray(count, rest - position), position + count);
  }
  return whole.subarray(0, count);
}
