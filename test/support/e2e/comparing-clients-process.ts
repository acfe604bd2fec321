/**
 * Clients of one blob: `comparing-clients-process.ts URL FILE COUNT`. Each of them GETs the URL on a connection of
 * its own and compares every byte with the file's, which costs a fraction of hashing. Writes `asked` when all clients
 * have asked, and the result of each as JSON when all are done.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';

export interface Compared {
  readonly status: number;
  readonly cacheStatus: string;
  /** Bytes of body. */
  readonly bytes: number;
  /** Whether the bytes are exactly the file's. */
  readonly isRight: boolean;
}

const HEAD_END = '\r\n\r\n';
/** Shared: each client compares what it has read before the next one reads. So it stays in the processor's cache. */
const BUFFER = Buffer.allocUnsafeSlow(512 * 1024);

class Client {
  readonly socket: Socket;
  readonly #content: Buffer;
  #head = '';
  #isBody = false;
  #bytes = 0;
  #isRight = true;

  constructor(url: URL, content: Buffer) {
    this.#content = content;
    const onread = { buffer: BUFFER, callback: (count: number) => this.#read(BUFFER.subarray(0, count)) };
    this.socket = connect({ host: url.hostname, port: Number(url.port), onread });
    this.socket.on('error', () => undefined);
    this.socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`);
  }

  get compared(): Compared {
    return {
      status: Number(/^HTTP\/1\.1 (\d+)/.exec(this.#head)?.[1]),
      cacheStatus: /^cache-status: (.*)$/im.exec(this.#head)?.[1] ?? '',
      bytes: this.#bytes,
      isRight: this.#isRight && this.#bytes === this.#content.length,
    };
  }

  #read(chunk: Buffer): boolean {
    const body = this.#isBody ? chunk : this.#bodyBehindHead(chunk);
    const expected = this.#content.subarray(this.#bytes, this.#bytes + body.length);
    this.#isRight &&= expected.equals(body);
    this.#bytes += body.length;
    return true;
  }

  #bodyBehindHead(chunk: Buffer): Buffer {
    const before = Buffer.byteLength(this.#head, 'latin1');
    const text = this.#head + chunk.toString('latin1');
    const end = text.indexOf(HEAD_END);
    this.#isBody = end !== -1;
    this.#head = this.#isBody ? text.slice(0, end) : text;
    return this.#isBody ? chunk.subarray(end + HEAD_END.length - before) : chunk.subarray(chunk.length);
  }
}

const [url = '', file = '', count = ''] = process.argv.slice(2);
const content = await readFile(file);
const clients = Array.from({ length: Number(count) }, () => new Client(new URL(url), content));
const closed = clients.map(({ socket }) => once(socket, 'close'));
await Promise.all(clients.map(({ socket }) => once(socket, 'connect')));
process.stdout.write('asked\n');
await Promise.all(closed);
process.stdout.write(JSON.stringify(clients.map(({ compared }) => compared)));
