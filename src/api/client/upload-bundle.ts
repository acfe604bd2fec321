import type { UploadSource } from '../../archive/upload/upload-source.ts';
import type { ApiClient } from './api-client.ts';

/** Bytes of one request: each costs a search for the upload, and what breaks off is sent again. */
const PIECE = 8 * 1024 * 1024;

/**
 * Uploads a bundle, from where an earlier upload of the same bundle was interrupted.
 * @param onSent called with the number of bytes that are there
 * @returns the id of the upload
 * @throws OperatorError, and what reading the bundle throws
 */
export async function uploadBundle(
  client: Pick<ApiClient, 'call'>,
  { size, fingerprint, bytes }: UploadSource,
  onSent: (bytes: number) => void = () => {},
): Promise<string> {
  const { id, offset } = await client.call('openUpload', { body: { size, fingerprint } });
  onSent(offset);
  let sent = offset;
  for await (const piece of pieces(bytes(offset))) {
    sent = (await client.call('writeUpload', { id, query: { offset: sent }, body: piece })).offset;
    onSent(sent);
  }
  return id;
}

/** Joins chunks to pieces. The last one may be shorter. */
async function* pieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    length += chunk.length;
    if (length < PIECE) continue;
    yield Buffer.concat(chunks);
    chunks = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(chunks);
}
