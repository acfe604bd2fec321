/** The media types of manifests. */
export const MediaType = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociArtifact: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

export type ManifestMediaType = (typeof MediaType)[keyof typeof MediaType];

const MANIFEST_MEDIA_TYPES: ReadonlySet<string> = new Set(Object.values(MediaType));

/**
 * What Larder itself asks upstreams for. It names every type, so that no upstream converts (a registry that
 * holds a type which Accept lacks answers 404 or converts), the signed schema 1 last.
 */
export const WIDE_ACCEPT: readonly ManifestMediaType[] = [
  MediaType.ociIndex,
  MediaType.ociManifest,
  MediaType.dockerList,
  MediaType.dockerManifest,
  MediaType.ociArtifact,
  MediaType.dockerSchema1Signed,
];

/** `type/subtype` of a Content-Type value: parameters cut, lower case; undefined where there is none. */
export function bareMediaType(contentType: string | undefined): string | undefined {
  const bare = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return bare === undefined || bare === '' ? undefined : bare;
}

export function isManifestMediaType(mediaType: string): mediaType is ManifestMediaType {
  return MANIFEST_MEDIA_TYPES.has(mediaType);
}

/** An index or a Docker manifest list: it refers to manifests, not to layers. */
export function isIndexMediaType(mediaType: string): boolean {
  return mediaType === MediaType.ociIndex || mediaType === MediaType.dockerList;
}

/** Schema 1: its digest is not over the bytes alone and it has no descriptors, so it stays opaque. */
export function isSchema1MediaType(mediaType: string): boolean {
  return mediaType === MediaType.dockerSchema1 || mediaType === MediaType.dockerSchema1Signed;
}
