import { z } from 'zod';
import type { Descriptor } from '../../oci/descriptor.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { FetchedManifest } from '../../upstream/upstream.ts';

const digest = z.string().describe('Such as `sha256:…`.');
const size = z.int().nonnegative().describe('In bytes.');
const annotations = z.record(z.string(), z.string()).optional();

/** One document's description of another. */
export const DescriptorAnswer = z.object({
  digest,
  mediaType: z.string(),
  size,
  platform: z.string().optional().describe('Such as `linux/arm64/v8`.'),
  artifactType: z.string().optional(),
  annotations,
});

export type DescriptorAnswer = z.infer<typeof DescriptorAnswer>;

/** What a manifest says, in the order in which it says it. */
export const ManifestContent = z.object({
  digest,
  mediaType: z.string(),
  size: size.describe('Bytes of the manifest itself.'),
  artifactType: z.string().optional(),
  config: DescriptorAnswer.optional(),
  layers: z.array(DescriptorAnswer).describe('Layers of an image, or blobs of an artifact.'),
  manifests: z.array(DescriptorAnswer).describe('The manifests of an index.'),
  subject: DescriptorAnswer.optional().describe('The manifest that this one is about.'),
  annotations,
});

export type ManifestContent = z.infer<typeof ManifestContent>;

/** The answer of `larder manifest`. */
export const ManifestAnswer = ManifestContent.extend({
  image: z.string().describe('The reference in full, such as `docker.io/library/alpine:3.20`.'),
});

/** The answer of `larder manifest --layers`. */
export const LayersAnswer = z.object({ image: z.string(), digest, layers: z.array(DescriptorAnswer) });

/** The answer of `larder digest`: of an image or of a file. */
export const DigestAnswer = z.object({
  image: z.string().optional(),
  file: z.string().optional().describe('`-` is standard input.'),
  digest,
});

export type DigestAnswer = z.infer<typeof DigestAnswer>;

/** The answer of `larder referrers`. */
export const ReferrersAnswer = z.object({
  image: z.string(),
  digest,
  referrers: z.array(DescriptorAnswer),
});

/** Describes a descriptor for people and programs. */
export function descriptorAnswer({ platform, ...descriptor }: Descriptor): DescriptorAnswer {
  return { ...descriptor, ...(platform !== undefined && { platform: formatPlatform(platform) }) };
}

/** Describes what a manifest says. Schema 1 says nothing that is read. */
export function manifestContent({
  digest: own,
  mediaType,
  bytes,
  content,
}: FetchedManifest): ManifestContent {
  const { artifactType, config, layers, manifests, subject, annotations: notes } = content;
  return {
    digest: own,
    mediaType,
    size: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(config !== undefined && { config: descriptorAnswer(config) }),
    layers: layers.map(descriptorAnswer),
    manifests: manifests.map(descriptorAnswer),
    ...(subject !== undefined && { subject: descriptorAnswer(subject) }),
    ...(notes !== undefined && { annotations: notes }),
  };
}
