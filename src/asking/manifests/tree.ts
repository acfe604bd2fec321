import { attestedImage } from '../../oci/attestation.ts';
import pLimit, { type LimitFunction } from 'p-limit';
import { z } from 'zod';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isIndexMediaType, isManifestMediaType } from '../../oci/media-type.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { FetchedManifest } from '../../upstream/upstream.ts';
import type { Asker } from '../asker.ts';
import { descriptorAnswer, DescriptorAnswer, manifestContent, ManifestContent } from './manifest-answer.ts';

/** A manifest with what it refers to, and what refers to it. */
export const ManifestTree = ManifestContent.omit({ manifests: true }).extend({
  platform: z.string().optional(),
  get manifests() {
    return z.array(ManifestTree).describe('The manifests of an index, in its order.');
  },
  get attestations() {
    return z.array(ManifestTree).describe('What the index says about this image: SBOM and provenance.');
  },
  referrers: z.array(DescriptorAnswer).describe('What was attached to it, such as signatures.'),
  problems: z.array(z.string()).describe('What could not be asked, and why.'),
});

export type ManifestTree = z.infer<typeof ManifestTree>;

/** The answer of `larder manifest --tree`. */
export const TreeAnswer = z.object({ image: z.string(), tree: ManifestTree });

/** Questions at the same time. */
const PARALLEL = 8;

/** Real indexes nest once. */
const MAX_DEPTH = 4;

/** More than any image has. Those beyond are counted as a problem. */
const MAX_MANIFESTS = 1000;

/**
 * Reads all manifests below a manifest, and asks what refers to each. Each digest is asked for once. Never fails: what
 * cannot be asked is a problem of its node.
 */
export async function readTree(
  asker: Pick<Asker, 'manifest' | 'referrers'>,
  repository: RepositoryName,
  root: FetchedManifest,
): Promise<ManifestTree> {
  return new TreeReader(asker, repository).read(root);
}

/** Whether something in the tree could not be asked. */
export function hasProblem({ problems, manifests, attestations }: ManifestTree): boolean {
  return problems.length > 0 || [...manifests, ...attestations].some(hasProblem);
}

class TreeReader {
  readonly #asker: Pick<Asker, 'manifest' | 'referrers'>;
  readonly #repository: RepositoryName;
  readonly #limit: LimitFunction = pLimit(PARALLEL);
  readonly #fetches = new Map<Digest, Promise<FetchedManifest>>();
  readonly #lists = new Map<Digest, Promise<readonly Descriptor[]>>();
  /** Manifests of the tree so far, those included that stand in it twice. */
  #count = 0;

  constructor(asker: Pick<Asker, 'manifest' | 'referrers'>, repository: RepositoryName) {
    this.#asker = asker;
    this.#repository = repository;
  }

  async read(root: FetchedManifest): Promise<ManifestTree> {
    this.#fetches.set(root.digest, Promise.resolve(root));
    return this.#node(root, 0);
  }

  async #node(fetched: FetchedManifest, depth: number): Promise<ManifestTree> {
    const { content } = fetched;
    const read = content.manifests.slice(0, MAX_MANIFESTS - this.#count);
    this.#count += read.length;
    const left = content.manifests.length - read.length;
    const [{ referrers, problems }, children] = await Promise.all([
      this.#referrers(fetched.digest),
      Promise.all(read.map(async (child) => this.#child(child, depth + 1))),
    ]);
    return {
      ...manifestContent(fetched),
      ...attach(read, children),
      attestations: [],
      referrers,
      problems: left === 0 ? problems : [...problems, `${left} more manifests are not read`],
    };
  }

  async #child(descriptor: Descriptor, depth: number): Promise<ManifestTree> {
    const described = descriptorAnswer(descriptor);
    const refusal = refusalOf(descriptor, depth);
    if (refusal !== undefined) return { ...described, layers: [], ...NOTHING_BELOW, problems: [refusal] };
    try {
      const fetched = await this.#fetch(descriptor.digest);
      const isAbout = attestedImage(descriptor) !== undefined;
      const node = isAbout
        ? { ...manifestContent(fetched), ...NOTHING_BELOW }
        : await this.#node(fetched, depth);
      return { ...described, ...node };
    } catch (error) {
      return { ...described, layers: [], ...NOTHING_BELOW, problems: [messageOf(error)] };
    }
  }

  async #fetch(digest: Digest): Promise<FetchedManifest> {
    return once(this.#fetches, digest, async () =>
      this.#limit(async () => this.#asker.manifest(this.#repository, { kind: 'digest', digest })),
    );
  }

  async #referrers(digest: Digest): Promise<Pick<ManifestTree, 'referrers' | 'problems'>> {
    try {
      const referrers = await once(this.#lists, digest, async () =>
        this.#limit(async () => this.#asker.referrers(this.#repository, digest)),
      );
      return { referrers: referrers.map(descriptorAnswer), problems: [] };
    } catch (error) {
      return { referrers: [], problems: [`its referrers are unknown: ${messageOf(error)}`] };
    }
  }
}

function refusalOf({ mediaType }: Descriptor, depth: number): string | undefined {
  if (!isManifestMediaType(mediaType)) return 'this is no manifest';
  const isTooDeep = depth > MAX_DEPTH && isIndexMediaType(mediaType);
  return isTooDeep ? 'its indexes are nested too deeply' : undefined;
}

const NOTHING_BELOW = { manifests: [], attestations: [], referrers: [], problems: [] };

async function once<T>(known: Map<Digest, Promise<T>>, digest: Digest, ask: () => Promise<T>): Promise<T> {
  const asked = known.get(digest) ?? ask();
  known.set(digest, asked);
  return asked;
}

/** Puts each attestation beside the image that it is about; one about something else stays where it is. */
function attach(
  descriptors: readonly Descriptor[],
  children: readonly ManifestTree[],
): Pick<ManifestTree, 'manifests'> {
  const about = new Map<string, ManifestTree[]>();
  const manifests = children.filter((child, position) => {
    const descriptor = descriptors[position];
    const subject = descriptor && attestedImage(descriptor);
    const isBeside = subject !== undefined && descriptors.some(({ digest }) => digest === subject);
    if (isBeside) about.set(subject, [...(about.get(subject) ?? []), child]);
    return !isBeside;
  });
  return {
    manifests: manifests.map((node) => ({ ...node, attestations: about.get(node.digest) ?? [] })),
  };
}

/** @throws what is no failure of a question */
function messageOf(error: unknown): string {
  if (error instanceof UpstreamError) return error.message;
  throw error;
}
