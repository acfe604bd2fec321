import type { StoredManifest } from '../../../content/stored-manifest.ts';
import type { Digest } from '../../../oci/digest.ts';
import { NO_BODY, type ReadyBody, type ReadyReply } from '../../reply.ts';

/** The replies with a manifest, without the headers that differ from request to request. */
export interface PreparedManifest {
  readonly whole: ReadyReply;
  readonly notModified: ReadyReply;
}

/** Larger manifests stay bytes: copying them beside the headers would cost more than a second write. */
const MAX_TEXT_BYTES = 12 * 1024;

/** Prepares each manifest once while it is in memory. */
export class PreparedManifests {
  readonly #prepared = new WeakMap<StoredManifest, PreparedManifest>();

  of(manifest: StoredManifest): PreparedManifest {
    const known = this.#prepared.get(manifest);
    if (known !== undefined) return known;
    const { digest, mediaType, bytes } = manifest;
    const prepared = prepareManifest(digest, mediaType, bytes.length, bytesBody(bytes));
    this.#prepared.set(manifest, prepared);
    return prepared;
  }
}

/** @param mediaType without parameters. @param size in bytes, also if there is no body */
export function prepareManifest(
  digest: Digest,
  mediaType: string,
  size: number,
  body: ReadyBody,
): PreparedManifest {
  const identity = { 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
  return {
    whole: {
      status: 200,
      headers: { 'Content-Type': mediaType, 'Content-Length': String(size), ...identity },
      body,
    },
    notModified: { status: 304, headers: identity, body: NO_BODY },
  };
}

function bytesBody(bytes: Uint8Array): ReadyBody {
  if (bytes.length > MAX_TEXT_BYTES) return { kind: 'bytes', bytes };
  const { buffer, byteOffset, length } = bytes;
  return { kind: 'bytes', bytes, latin1: Buffer.from(buffer, byteOffset, length).toString('latin1') };
}
