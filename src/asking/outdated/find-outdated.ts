import pLimit from 'p-limit';
import { digestAlgorithm } from '../../oci/digest.ts';
import { parseTag, type Tag } from '../../oci/tag.ts';
import type { FilePlace, UnresolvedImage } from '../../references/found.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { formatAsked, type Asked } from '../asked.ts';
import { AskError } from '../error.ts';
import type { OutdatedImage } from './outdated-answer.ts';
import { findNewerTag, isVersionTag } from './newer-tag.ts';
import { OutdatedQuestions, type AskerOf } from './questions.ts';

/** An image to look after, with the places where it stands. */
export interface LookedAfter {
  readonly asked: Asked;
  readonly places: readonly FilePlace[];
}

/** Images asked about at the same time. */
const PARALLEL = 8;

/**
 * Compares each image with its registry: the digest that it is pinned to with that of its tag now, and its tag with
 * newer tags of the same kind. Each registry is asked each question once. Never fails: what cannot be asked is unknown.
 */
export async function findOutdated(
  images: readonly LookedAfter[],
  askerOf: AskerOf,
): Promise<readonly OutdatedImage[]> {
  const limit = pLimit(PARALLEL);
  const questions = new OutdatedQuestions(askerOf);
  return Promise.all(images.map(async (image) => limit(async () => new Comparison(image, questions).run())));
}

/** Makes the answer about an image that a file leaves open. */
export function openImage({ text, place, reason }: UnresolvedImage): OutdatedImage {
  return { image: text, places: [place], state: 'unknown', reasons: [reason] };
}

/** The comparison of one image. What one question has found counts, even if the other fails. */
class Comparison {
  readonly #image: LookedAfter;
  readonly #questions: OutdatedQuestions;
  readonly #outdated: string[] = [];
  readonly #unknown: string[] = [];
  #found: Pick<OutdatedImage, 'digest' | 'newest'> = {};

  constructor(image: LookedAfter, questions: OutdatedQuestions) {
    this.#image = image;
    this.#questions = questions;
  }

  async run(): Promise<OutdatedImage> {
    const { asked, places } = this.#image;
    const tag = asked.tag ?? (asked.digest === undefined ? parseTag('latest') : undefined);
    // There is nothing that a digest alone could be compared with: it stands for the same bytes for ever.
    if (tag !== undefined && (await this.#try(() => this.#compareDigest(tag)))) {
      await this.#try(() => this.#compareVersion(tag));
    }
    const image = formatAsked(asked);
    const reasons = [...this.#outdated, ...this.#unknown];
    return { image, places: [...places], state: this.#state(), ...this.#found, reasons };
  }

  #state(): OutdatedImage['state'] {
    if (this.#outdated.length > 0) return 'outdated';
    return this.#unknown.length > 0 ? 'unknown' : 'current';
  }

  /** @returns whether there is a point in asking this registry more: it answers, though it may not have the tag */
  async #try(compare: () => Promise<void>): Promise<boolean> {
    try {
      await compare();
      return true;
    } catch (error) {
      if (!(error instanceof UpstreamError || error instanceof AskError)) throw error;
      this.#unknown.push(error.message);
      return error instanceof UpstreamError && error.failure === 'absent';
    }
  }

  async #compareDigest(tag: Tag): Promise<void> {
    const { asked } = this.#image;
    const digest = await this.#questions.digest(asked, tag);
    this.#found = { digest };
    if (asked.digest === undefined || asked.digest === digest) return;
    const algorithm = digestAlgorithm(asked.digest);
    if (algorithm !== digestAlgorithm(digest)) {
      this.#unknown.push(`it is pinned by ${algorithm}, and its registry tells ${digest}`);
      return;
    }
    // It may be pinned to the image for one platform, in the index that its tag stands for.
    const children = await this.#questions.children(asked, digest);
    if (!children.includes(asked.digest)) this.#outdated.push(`${tag} is now ${digest}`);
  }

  async #compareVersion(tag: Tag): Promise<void> {
    if (!isVersionTag(tag)) return;
    const newest = findNewerTag(tag, await this.#questions.tags(this.#image.asked));
    if (newest === undefined) return;
    this.#found = { ...this.#found, newest };
    this.#outdated.push(`${newest} is newer`);
  }
}

/** Groups what is the same image, in the order of its first places. */
export function groupImages(images: readonly LookedAfter[]): readonly LookedAfter[] {
  const groups = new Map<string, LookedAfter>();
  for (const { asked, places } of images) {
    const key = `${asked.registry.scheme ?? ''}//${formatAsked(asked)}`;
    groups.set(key, { asked, places: [...(groups.get(key)?.places ?? []), ...places] });
  }
  return [...groups.values()];
}
