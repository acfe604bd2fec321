import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as requestByHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestByHttps } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { assertNoPassword } from './secrets.ts';

/** Answers that tell of something are shorter, and blobs of the tests are longer. */
const MAX_TOLD = 64 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body; empty if `discard` was set. */
  readonly body: Buffer;
  readonly bytes: number;
  /** `sha256:…` of the body as it came. */
  readonly digest: string;
  /** Whether the answer came to its end before the connection broke. */
  readonly complete: boolean;
}

/** What a URL does not say about a connection. */
export interface Way {
  /** PEM of the authority to trust, for https. */
  readonly ca?: string;
  /** PEM of the client's own certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** The Unix socket to connect to, whatever the URL's host. */
  readonly socketPath?: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: Uint8Array;
  /** Keeps no body, only its digest: for large blobs. */
  readonly discard?: boolean;
  /** Reads no faster than this, while `isSlow` says so. */
  readonly bytesPerSecond?: number;
  readonly isSlow?: () => boolean;
  /** Called with the number of bytes received so far. */
  readonly onBytes?: (bytes: number) => void;
  /** Closes the connection once this many bytes came. */
  readonly leaveAfter?: number;
  /** The address to ask from: for Larder, another client. */
  readonly from?: string;
  /** How to connect. Absent: by what the URL says. */
  readonly by?: Way;
}

/**
 * Sends an HTTP request on a connection of its own, with the path exactly as written.
 * @throws Error if the answer tells one of the tests' passwords
 */
export async function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const [, origin = '', path = '/'] = /^(https?:\/\/[^/]+)(.*)$/.exec(url) ?? [];
  const request = origin.startsWith('https:') ? requestByHttps : requestByHttp;
  const outgoing = request(origin, {
    path: path === '' ? '/' : path,
    method: options.method ?? 'GET',
    headers: options.headers ?? {},
    agent: false,
    ...(options.from !== undefined && { localAddress: options.from }),
    ...options.by,
  });
  outgoing.end(options.body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  // A cut connection is a result too: it shows as `complete: false`.
  outgoing.on('error', () => undefined);
  const answer = await read(response, options);
  assertNoPassword(toldBy(answer), `the answer to ${url}`);
  return answer;
}

/** Returns what an answer says, but for the content of images. */
function toldBy({ headers, body }: Answer): string {
  const isShort = body.length <= MAX_TOLD;
  return `${JSON.stringify(headers)}\n${isShort ? body.toString('latin1') : ''}`;
}

async function read(response: IncomingMessage, options: AskOptions): Promise<Answer> {
  const hash = createHash('sha256');
  const kept: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      bytes += chunk.length;
      options.onBytes?.(bytes);
      if (options.discard !== true) kept.push(chunk);
      if (options.leaveAfter !== undefined && bytes >= options.leaveAfter) break;
      await hold(chunk.length, options);
    }
  } catch {
    response.destroy();
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(kept),
    bytes,
    digest: `sha256:${hash.digest('hex')}`,
    complete: response.complete,
  };
}

async function hold(bytes: number, options: AskOptions): Promise<void> {
  if (options.bytesPerSecond === undefined || options.isSlow?.() === false) return;
  await wait((bytes / options.bytesPerSecond) * 1000);
}
