import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Deliver, Delivered } from '../delivery/deliver.ts';
import type { BlobReader } from '../store/blob-store.ts';

/** An answer as a value. A handler makes it, `sendReply` sends it. */
export interface Reply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: ReplyBody;
}

export type ReplyBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Bytes `[start, end)` of a blob; `end` undefined where its size is not known. The reply owns the reader. */
  | {
      readonly kind: 'blob';
      readonly reader: BlobReader;
      readonly start: number;
      readonly end: number | undefined;
    };

export const NO_BODY: ReplyBody = { kind: 'none' };

export function jsonBody(value: unknown): { readonly kind: 'bytes'; readonly bytes: Uint8Array } {
  return { kind: 'bytes', bytes: new TextEncoder().encode(JSON.stringify(value)) };
}

export interface SendOptions {
  readonly isHead: boolean;
  /** How long the client may take nothing of a body; 0 for ever. */
  readonly idleMs: number;
  readonly deliver: Deliver;
}

/**
 * Sends a reply. HEAD gets the headers of GET, Content-Length included, and no body.
 * Resolves when the last byte has been handed to the socket or the connection is gone, and the reader is closed.
 * @throws TypeError where the headers cannot be sent; nothing is sent then
 */
export async function sendReply(
  reply: Reply,
  response: ServerResponse,
  { isHead, idleMs, deliver }: SendOptions,
): Promise<Delivered> {
  const { status, headers, body } = reply;
  if (body.kind !== 'blob') {
    if (response.destroyed) return { bytes: 0, complete: false };
    const bytes = body.kind === 'bytes' ? body.bytes : undefined;
    const length = bytes === undefined ? {} : { 'Content-Length': bytes.length };
    response.writeHead(status, { ...length, ...headers });
    response.end(isHead ? undefined : bytes);
    return { bytes: isHead ? 0 : (bytes?.length ?? 0), complete: true };
  }
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

/** Closes the reader. That it cannot be closed changes nothing of what was sent, but is worth telling. */
async function closed(reader: BlobReader, delivered: Delivered): Promise<Delivered> {
  try {
    await reader.close();
    return delivered;
  } catch (error) {
    return { ...delivered, error: delivered.error ?? error };
  }
}
