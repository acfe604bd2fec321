import { RegistryError } from '../oci/error.ts';
import { parseJsonObject } from '../oci/documents/json.ts';
import { isIndexMediaType } from '../oci/media-type.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Asker } from './asker.ts';

/** Larger than any config that an engine writes; the long ones hold the history of a hundred layers. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** The annotation by which builders say it of an index, or of an artifact without a config (image-spec annotations.md). */
const CREATED = 'org.opencontainers.image.created';

/** Deepest nesting of indexes that is followed. */
const MAX_DEPTH = 3;

/**
 * Asks when the image of a tag was made: by its annotation, else by its config; of an index, by its first image.
 * @returns a time as the image writes it (RFC 3339); undefined if it does not say
 */
export async function createdAt(
  asker: Asker,
  repository: RepositoryName,
  tag: string,
): Promise<string | undefined> {
  let reference: Reference = parseReference(tag);
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const { content } = await asker.manifest(repository, reference);
    const said = asTime(content.annotations?.[CREATED]);
    if (said !== undefined) return said;
    if (!isIndexMediaType(content.mediaType)) {
      const { config } = content;
      return config && createdOf(await asker.blob(repository, config.digest, MAX_CONFIG_BYTES));
    }
    // An attestation, whose platform is `unknown`, says nothing of the image.
    const image = content.manifests.find(({ platform }) => platform?.os !== 'unknown');
    if (image === undefined) return undefined;
    reference = { kind: 'digest', digest: image.digest };
  }
  return undefined;
}

function createdOf(config: Uint8Array): string | undefined {
  try {
    return asTime(parseJsonObject(config)['created']);
  } catch (error) {
    // The config of an artifact may be anything.
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

function asTime(text: unknown): string | undefined {
  return typeof text === 'string' && !Number.isNaN(Date.parse(text)) ? text : undefined;
}
