import { sendByReading } from './by-reading.ts';
import type { Sendfile } from './sendfile.ts';
import type { Transfer } from './transfer.ts';

/**
 * What one call is asked to send: more than a socket has room for, so that a call ends when the socket is full and
 * not before, for each call costs a change of threads. It bounds how long a fast client keeps its thread.
 */
const SLICE = 8 * 1024 * 1024;
/**
 * What goes through this process at most at a time. Of a fast client's bytes that is a part, and the larger it is the
 * more room the socket has afterwards; but sendfile moves bytes at less cost.
 */
const LARGEST_CHUNK = 256 * 1024;
/** A call in another thread costs more than to read and write fewer bytes here. */
const WORTH_A_CALL = 64 * 1024;

/**
 * Sends a body from the file to the socket past this process. When the socket is full, one ordinary chunk is
 * written, whose callback tells when there is room again; the first one, that the headers have left. That chunk is
 * also what finds out why nothing could be sent: a client that has gone, a disk that cannot read.
 */
export async function sendBySendfile(transfer: Transfer, sendfile: Sendfile): Promise<void> {
  const { bufferBytes, position, end = Number.POSITIVE_INFINITY } = transfer;
  const chunk = Buffer.allocUnsafeSlow(Math.min(LARGEST_CHUNK, bufferBytes, end - position));
  let upTo = await transfer.available();
  if (upTo === undefined) return;
  await transfer.sendThrough(chunk, upTo);
  // Only now it is this response that the connection carries: those of requests before it have left.
  using socket = Duplicate.of(transfer.sink.descriptor, sendfile);
  if (socket === undefined) return sendByReading(transfer);
  let isRoom = true;
  while ((upTo = await transfer.available()) !== undefined) {
    const wanted = Math.min(upTo - transfer.position, SLICE);
    const { fd } = transfer.reader;
    if (!isRoom || wanted < WORTH_A_CALL || fd === undefined) {
      await transfer.sendThrough(chunk, upTo);
      isRoom = true;
      continue;
    }
    // Waited for also when the client goes meanwhile: until then its descriptor and the file's are in use.
    const sent = await sendfile.send(socket.descriptor, fd, transfer.position, wanted);
    transfer.position += Math.max(sent, 0);
    isRoom = sent === wanted;
  }
}

/**
 * The connection's descriptor, held open. Node closes its own one when the client goes, and the kernel gives the
 * number to the next connection: a call that is under way would send one client's bytes to another.
 */
class Duplicate implements Disposable {
  readonly descriptor: number;
  readonly #sendfile: Sendfile;

  private constructor(descriptor: number, sendfile: Sendfile) {
    this.descriptor = descriptor;
    this.#sendfile = sendfile;
  }

  static of(descriptor: number | undefined, sendfile: Sendfile): Duplicate | undefined {
    const duplicate = descriptor === undefined ? undefined : sendfile.duplicate(descriptor);
    return duplicate === undefined ? undefined : new Duplicate(duplicate, sendfile);
  }

  [Symbol.dispose](): void {
    this.#sendfile.close(this.descriptor);
  }
}
