import { generateKeyPairSync, sign } from 'node:crypto';
import type { Digest } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { pusher } from './push.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';

/**
 * Signs an image as cosign does by a key: the signature names the repository and no tag, and lies beside the image under
 * a tag of its own.
 * @param identity the repository's name, with the registry, as its users know it
 * @returns the public key, PEM
 */
export async function cosign(
  registryUrl: string,
  image: { readonly repository: string; readonly digest: Digest },
  identity: string,
): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const critical = {
    identity: { 'docker-reference': identity },
    image: { 'docker-manifest-digest': image.digest },
    type: 'cosign container image signature',
  };
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
  const push = pusher(registryUrl, image.repository);
  const config = await push.blob(Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json');
  const layer = await push.blob(payload, SIMPLE_SIGNING);
  const signature = sign('sha256', payload, privateKey).toString('base64');
  const annotations = { 'dev.cosignproject.cosign/signature': signature };
  await push.manifest(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config,
      layers: [{ ...layer, annotations }],
    }),
    MediaType.ociManifest,
    `${image.digest.replace(':', '-')}.sig`,
  );
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
