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
 * The Accept list of Larder's own requests. It names every type, since a registry answers 404 or converts the manifest
 * if Accept lacks its type. The signed schema 1 comes last.
 */
export const WIDE_ACCEPT: readonly ManifestMediaType[] = [
  MediaType.ociIndex,
  MediaType.ociManifest,
  MediaType.dockerList,
  MediaType.dockerManifest,
  MediaType.ociArtifact,
  MediaType.dockerSchema1Signed,
];

/** Returns `type/subtype` of a Content-Type in lower case, without parameters; undefined if there is none. */
export function bareMediaType(contentType: string | undefined): string | undefined {
  const bare = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return bare === undefined || bare === '' ? undefined : bare;
}

export function isManifestMediaType(mediaType: string): mediaType is ManifestMediaType {
  return MANIFEST_MEDIA_TYPES.has(mediaType);
}

/** Whether it is the type of an index or a Docker manifest list, which refer to manifests, not to layers. */
export function isIndexMediaType(mediaType: string): boolean {
  return mediaType === MediaType.ociIndex || mediaType === MediaType.dockerList;
}

/**
 * Whether it is a type of schema 1, which stays opaque: its digest may not be over its bytes, and it has no
 * descriptors.
 */
export function isSchema1MediaType(mediaType: string): boolean {
  return mediaType === MediaType.dockerSchema1 || mediaType === MediaType.dockerSchema1Signed;
}
