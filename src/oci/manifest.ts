import {
  readAnnotations,
  readDescriptor,
  readDescriptors,
  readMediaType,
  type Descriptor,
} from './descriptor.ts';
import type { Digest } from './digest.ts';
import { quoted } from '../text/quoted.ts';
import { manifestInvalid, parseJsonObject, type JsonObject } from './documents/json.ts';
import {
  MediaType,
  bareMediaType,
  isIndexMediaType,
  isManifestMediaType,
  isSchema1MediaType,
  type ManifestMediaType,
} from './media-type.ts';
import { unambiguousType } from './documents/media-type-confusion.ts';

/** The parts of a manifest or an index that Larder uses. Schema 1 is opaque: it has a media type and nothing else. */
export interface Manifest {
  readonly mediaType: ManifestMediaType;
  readonly config?: Descriptor;
  /** Layers of an image, or blobs of an artifact manifest. */
  readonly layers: readonly Descriptor[];
  /** Children of an index. */
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type EdgeRole = 'manifest' | 'config' | 'layer' | 'subject';

/** A reference from a manifest to other content. */
export interface Edge {
  readonly role: EdgeRole;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
}

/**
 * Reads a manifest under the media type that it was served with. Refuses only a document that another reader could take
 * for another kind, and leaves out parts that it cannot read: clients accept documents that the specifications do not
 * allow, and their digests are right all the same.
 * @param mediaType a Content-Type; parameters are ignored
 * @throws RegistryError MANIFEST_INVALID
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): Manifest {
  const bare = bareMediaType(mediaType) ?? '';
  if (!isManifestMediaType(bare)) throw manifestInvalid(`${quoted(mediaType)} is not the type of a manifest`);
  const document = parseJsonObject(bytes);
  const own = unambiguousType(document, bare);
  if (isSchema1MediaType(own)) return { mediaType: own, layers: [], manifests: [] };
  return { mediaType: own, ...readContent(document, own), ...readOciMembers(document, own) };
}

/**
 * Returns everything that a manifest refers to, each digest once in each role. Foreign layers are included: their bytes
 * may be in the repository, and if not, it answers 404.
 */
export function manifestEdges(manifest: Manifest): Edge[] {
  const edges = [
    ...manifest.manifests.map((descriptor) => toEdge('manifest', descriptor)),
    ...(manifest.config ? [toEdge('config', manifest.config)] : []),
    ...manifest.layers.map((descriptor) => toEdge('layer', descriptor)),
    ...(manifest.subject ? [toEdge('subject', manifest.subject)] : []),
  ];
  const first = new Map<string, Edge>();
  for (const edge of edges) {
    const key = `${edge.role} ${edge.digest}`;
    if (!first.has(key)) first.set(key, edge);
  }
  return [...first.values()];
}

/**
 * Returns the manifest's descriptor in a referrers answer (distribution-spec, "Listing Referrers"). An image manifest
 * without `artifactType` gets its config's media type; an index without one has none.
 */
export function referrerDescriptor(
  manifest: Manifest,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Descriptor {
  const artifactType = manifest.artifactType ?? manifest.config?.mediaType;
  return {
    mediaType: manifest.mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(manifest.annotations !== undefined && { annotations: manifest.annotations }),
  };
}

function toEdge(role: EdgeRole, { digest, size, mediaType }: Descriptor): Edge {
  return { role, digest, size, mediaType };
}

function readContent(
  document: JsonObject,
  mediaType: ManifestMediaType,
): Pick<Manifest, 'config' | 'layers' | 'manifests'> {
  if (isIndexMediaType(mediaType)) return { layers: [], manifests: readDescriptors(document['manifests']) };
  if (mediaType === MediaType.ociArtifact)
    return { layers: readDescriptors(document['blobs']), manifests: [] };
  const config = readDescriptor(document['config']);
  const layers = readDescriptors(document['layers']);
  return { ...(config !== undefined && { config }), layers, manifests: [] };
}

/** Reads the members that only OCI's types have: in Docker's, subject, artifactType and annotations mean nothing. */
function readOciMembers(
  document: JsonObject,
  mediaType: ManifestMediaType,
): Pick<Manifest, 'subject' | 'artifactType' | 'annotations'> {
  if (mediaType === MediaType.dockerManifest || mediaType === MediaType.dockerList) return {};
  const subject = readDescriptor(document['subject']);
  const artifactType = readMediaType(document['artifactType']);
  const annotations = readAnnotations(document['annotations']);
  return {
    ...(subject !== undefined && { subject }),
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  };
}
