import { isDigest, type Digest } from '../../src/oci/digest.ts';

/** A request to a fake registry, as its path says. */
export interface RegistryRequest {
  readonly kind:
    'ping' | 'manifest' | 'blob' | 'tags' | 'referrers' | 'catalog' | 'token' | 'storage' | 'other';
  readonly repository?: string;
  /** Tag or digest of a manifest. */
  readonly reference?: string;
  /** The digest, if the request is by digest. */
  readonly digest?: Digest;
  /** Whether a manifest is asked for by tag or by digest. */
  readonly by?: 'tag' | 'digest';
}

export function parseRegistryPath(path: string): RegistryRequest {
  if (path === '/v2/' || path === '/v2') return { kind: 'ping' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  if (path === '/token') return { kind: 'token' };
  const storage = /^\/storage\/(.+)$/.exec(path);
  if (storage !== null) return { kind: 'storage', ...withDigest(storage[1] ?? '') };
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(path);
  if (tags !== null) return { kind: 'tags', repository: tags[1] ?? '' };
  const object = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/.exec(path);
  if (object === null) return { kind: 'other' };
  const [, repository = '', noun = '', reference = ''] = object;
  if (noun === 'manifests') {
    const by = isDigest(reference) ? 'digest' : 'tag';
    return { kind: 'manifest', repository, reference, by, ...withDigest(reference) };
  }
  return { kind: noun === 'blobs' ? 'blob' : 'referrers', repository, ...withDigest(reference) };
}

function withDigest(text: string): { digest?: Digest } {
  return isDigest(text) ? { digest: text } : {};
}
