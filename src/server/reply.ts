import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Deliver, Delivered } from '../delivery/deliver.ts';
import type { BlobReader } from '../store/blob-store.ts';

/** An answer as a value. A handler makes it, `sendReply` sends it. */
export interface Reply {
  readonly status: number;
  /** The reason phrase, in place of the status's standard one. */
  readonly reason?: string | undefined;
  readonly headers: OutgoingHttpHeaders;
  readonly body: ReplyBody;
}

/** A body that is wholly in memory. */
export type ReadyBody =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'bytes';
      readonly bytes: Uint8Array;
      /** The same bytes as one character each: Node writes a text together with the headers, in one system call. */
      readonly latin1?: string;
    };

type ReplyBody =
  | ReadyBody
  /** Bytes `[start, end)` of a blob; `end` is undefined if its size is not known. The reply owns the reader. */
  | {
      readonly kind: 'blob';
      readonly reader: BlobReader;
      readonly start: number;
      readonly end: number | undefined;
    };

/** A reply that can be handed to the socket at once. */
export interface ReadyReply extends Reply {
  readonly body: ReadyBody;
}

/** A ready reply whose headers Node takes as they are: names and values in turn, Content-Length included. */
export interface FlatReply {
  readonly status: number;
  readonly headers: string[];
  readonly body: ReadyBody;
}

export const NO_BODY: ReadyBody = { kind: 'none' };

export function jsonBody(value: unknown): { readonly kind: 'bytes'; readonly bytes: Uint8Array } {
  return { kind: 'bytes', bytes: new TextEncoder().encode(JSON.stringify(value)) };
}

export interface SendOptions {
  readonly isHead: boolean;
  /** The longest that the client may take nothing of a body, milliseconds; 0: for ever. */
  readonly idleMs: number;
  readonly deliver: Deliver;
}

type ReadyOptions = Pick<SendOptions, 'isHead' | 'idleMs'>;

const CUT: Delivered = { bytes: 0, complete: false };

/**
 * Sends a reply. HEAD gets the headers of GET, Content-Length included, and no body.
 * Resolves when the last byte has been handed to the socket or the connection is gone, and the reader is closed.
 * @throws TypeError if the headers are invalid; then nothing is sent
 */
export async function sendReply(
  reply: Reply,
  response: ServerResponse,
  { isHead, idleMs, deliver }: SendOptions,
): Promise<Delivered> {
  const { status, reason, headers, body } = reply;
  if (body.kind !== 'blob') return sendNow({ status, reason, headers, body }, response, { isHead, idleMs });
  const { reader, start, end } = body;
  try {
    response.writeHead(status, headers);
  } catch (error) {
    await reader.close();
    throw error;
  }
  if (isHead) {
    response.end();
    return closed(reader, { bytes: 0, complete: true });
  }
  return closed(reader, await deliver(reader, start, end, response, idleMs));
}

/**
 * Sends a reply that is wholly in memory, as `sendReply` does.
 * @throws TypeError if the headers are invalid; then nothing is sent
 */
export function sendNow(
  { status, reason, headers, body }: ReadyReply,
  response: ServerResponse,
  options: ReadyOptions,
): Delivered {
  if (response.destroyed) return CUT;
  if (reason !== undefined) response.statusMessage = reason;
  const hasLength = body.kind === 'none' || 'Content-Length' in headers;
  response.writeHead(status, hasLength ? headers : { 'Content-Length': body.bytes.length, ...headers });
  return sendBody(body, response, options);
}

/** Does the same for a flat reply: to copy the headers and to go through them by name costs warm manifests time. */
export function sendFlat(
  { status, headers, body }: FlatReply,
  response: ServerResponse,
  options: ReadyOptions,
): Delivered {
  if (response.destroyed) return CUT;
  response.writeHead(status, headers);
  return sendBody(body, response, options);
}

function sendBody(body: ReadyBody, response: ServerResponse, { isHead, idleMs }: ReadyOptions): Delivered {
  if (body.kind === 'none') {
    response.end();
    return { bytes: 0, complete: true };
  }
  const { bytes, latin1 } = body;
  if (isHead) response.end();
  else if (latin1 === undefined) response.end(bytes);
  else response.end(latin1, 'latin1');
  cutIfIdle(response, idleMs);
  return { bytes: isHead ? 0 : bytes.length, complete: true };
}

/** Cuts the connection if the bytes that the kernel did not take at once wait too long for the client. */
function cutIfIdle(response: ServerResponse, idleMs: number): void {
  if (idleMs === 0 || response.writableFinished || response.writableLength === 0) return;
  response.setTimeout(idleMs, () => response.destroy());
}

/** Closes the reader. A failure to close changes nothing that was sent, but is worth telling. */
async function closed(reader: BlobReader, delivered: Delivered): Promise<Delivered> {
  try {
    await reader.close();
    return delivered;
  } catch (error) {
    return { ...delivered, error: delivered.error ?? error };
  }
}
