import { digestOf } from '../../src/oci/digest.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { parseReference, type Reference } from '../../src/oci/reference.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import type { FetchedBlob } from '../../src/upstream/upstream.ts';
import { withHeaders, type Reply } from './scripted-reply.ts';

export { parseRepositoryName as repo };

export const tagged = (tag: string): Reference => parseReference(tag);
export const byDigest = (digest: Digest): Reference => ({ kind: 'digest', digest });

/** A layer's bytes, more than one chunk of any stream. */
export const LAYER = Buffer.from('a layer of an image, '.repeat(10_000));
export const LAYER_DIGEST = digestOf(LAYER);

const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux"}');

/** An image manifest as registries send it. */
export const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(CONFIG),
      size: CONFIG.length,
    },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: LAYER_DIGEST,
        size: LAYER.length,
      },
    ],
  }),
);
export const MANIFEST_DIGEST = digestOf(MANIFEST);

/** Makes the answer to GET and HEAD of that manifest. @param headers changes; undefined removes a header */
export function manifestReply(headers: Readonly<Record<string, string | undefined>> = {}): Reply {
  const usual = { 'content-type': MediaType.ociManifest, 'docker-content-digest': MANIFEST_DIGEST };
  return withHeaders(headers)({ status: 200, headers: usual, body: MANIFEST });
}

export async function readBlob({ body }: FetchedBlob): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const pieces of body) chunks.push(...pieces.map((piece) => new Uint8Array(piece)));
  return Buffer.concat(chunks);
}
