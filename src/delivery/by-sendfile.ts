import { sendByReading } from './by-reading.ts';
import type { Sendfile } from './sendfile.ts';
import type { Transfer } from './transfer.ts';

/**
 * Most bytes of one call: more than a socket has room for, so that a call ends only when the socket is full, since each
 * call costs a change of threads. It bounds how long a fast client keeps its thread.
 */
const SLICE = 8 * 1024 * 1024;
/**
 * Most bytes that go through this process at a time. A larger chunk leaves the socket more room after it, which helps
 * fast clients; but sendfile moves bytes at less cost.
 */
const LARGEST_CHUNK = 256 * 1024;
/** Least bytes that are worth a call: a call in another thread costs more than to read and write fewer bytes here. */
const WORTH_A_CALL = 64 * 1024;

/**
 * Sends a body from the file to the socket past this process. When the socket is full, one ordinary chunk is written:
 * its callback tells when there is room again (the first one's, that the headers have left). Such a chunk also finds
 * out why nothing could be sent: the client has gone, or the disk cannot read.
 */
export async function sendBySendfile(transfer: Transfer, sendfile: Sendfile): Promise<void> {
  const { bufferBytes, position, end = Number.POSITIVE_INFINITY } = transfer;
  const chunk = Buffer.allocUnsafeSlow(Math.min(LARGEST_CHUNK, bufferBytes, end - position));
  let upTo = await transfer.available();
  if (upTo === undefined) return;
  await transfer.sendThrough(chunk, upTo);
  // Only now does the connection carry this response: those of earlier requests have left.
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
    // The call must end even if the client goes meanwhile: until then the socket's and the file's descriptors are in
    // use.
    const sent = await sendfile.send(socket.descriptor, fd, transfer.position, wanted);
    transfer.position += Math.max(sent, 0);
    isRoom = sent === wanted;
  }
}

/**
 * A duplicate of the connection's descriptor, held open. When the client goes, Node closes its own descriptor, and the
 * kernel gives that number to the next connection: a call under way would send one client's bytes to another.
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
