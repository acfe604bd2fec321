import type { StoredManifest } from '../../../content/stored-manifest.ts';
import type { Digest } from '../../../oci/digest.ts';
import { isIndexMediaType } from '../../../oci/media-type.ts';
import { PreparedReply } from '../../prepared-reply.ts';
import { NO_BODY, type ReadyBody, type ReadyReply } from '../../reply.ts';

/** The replies with a manifest. */
export interface ManifestReplies<R> {
  readonly whole: R;
  readonly notModified: R;
}

/** The replies with a manifest, without the headers that differ from request to request. */
interface PreparedManifest {
  readonly byDigest: ManifestReplies<PreparedReply>;
  readonly byTag: ManifestReplies<PreparedReply>;
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
    const replies = manifestReplies(digest, mediaType, bytes.length, bytesBody(bytes));
    const byDigest = prepared(replies);
    const byTag = isIndexMediaType(mediaType) ? prepared(varied(replies)) : byDigest;
    this.#prepared.set(manifest, { byDigest, byTag });
    return { byDigest, byTag };
  }
}

/** @param mediaType without parameters. @param size in bytes, also if there is no body */
export function manifestReplies(
  digest: Digest,
  mediaType: string,
  size: number,
  body: ReadyBody,
): ManifestReplies<ReadyReply> {
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

/**
 * What tells caches in front that Accept has chosen the answer (RFC 9110 §12.5.5): a client of single images gets a
 * child of a tag's index.
 */
export const VARY_BY_ACCEPT = { Vary: 'Accept' };

export function variedByAccept(reply: ReadyReply): ReadyReply {
  return { ...reply, headers: { ...reply.headers, ...VARY_BY_ACCEPT } };
}

function varied({ whole, notModified }: ManifestReplies<ReadyReply>): ManifestReplies<ReadyReply> {
  return { whole: variedByAccept(whole), notModified: variedByAccept(notModified) };
}

function prepared({ whole, notModified }: ManifestReplies<ReadyReply>): ManifestReplies<PreparedReply> {
  return { whole: new PreparedReply(whole), notModified: new PreparedReply(notModified) };
}

function bytesBody(bytes: Uint8Array): ReadyBody {
  if (bytes.length > MAX_TEXT_BYTES) return { kind: 'bytes', bytes };
  const { buffer, byteOffset, length } = bytes;
  return { kind: 'bytes', bytes, latin1: Buffer.from(buffer, byteOffset, length).toString('latin1') };
}
