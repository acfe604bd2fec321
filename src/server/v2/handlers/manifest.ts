import type { IncomingMessage } from 'node:http';
import { accepts, namesOnlySingleImages, parseAccept } from '../../../http/accept.ts';
import { matchesETag, parseIfNoneMatch } from '../../../http/etag.ts';
import type { HeaderLines } from '../../../http/scanner.ts';
import { joined } from '../../../repository/outcome.ts';
import type { ManifestHead, PulledManifest } from '../../../repository/pulled-manifest.ts';
import type { Repository } from '../../../repository/repository.ts';
import type { Resolution } from '../../../repository/resolution.ts';
import type { ManifestPreference } from './manifest-preference.ts';
import type { Digest } from '../../../oci/digest.ts';
import { isIndexMediaType } from '../../../oci/media-type.ts';
import type { Reference } from '../../../oci/reference.ts';
import type { Answer, PreparedAnswer } from '../answer.ts';
import type { ManifestRoute } from '../route.ts';
import { Memo } from '../memo.ts';
import { NO_BODY, type ReadyReply } from '../../reply.ts';
import {
  manifestReplies,
  PreparedManifests,
  variedByAccept,
  type ManifestReplies,
} from './prepared-manifest.ts';
import type { Question } from './question.ts';

/**
 * Answers GET and HEAD of a manifest: byte-exact, with its own bare media type, its exact length and its digest, which
 * clients expect from both methods (distribution-spec, "Pulling manifests").
 */
export class ManifestHandler {
  readonly #prepared = new PreparedManifests();
  readonly #preferences = new Memo<ManifestPreference>();

  /** @throws as the repository does */
  async answer(question: Question, reference: Reference): Promise<Answer> {
    const { repository, isHead, headers } = question;
    const preference = preferenceOf(headers['accept']);
    const resolution = await repository.resolve(reference, question);
    const head = isHead ? await acceptedHead(repository, resolution, preference) : undefined;
    if (head !== undefined) {
      const { digest, mediaType, size, outcome } = head;
      const replies = manifestReplies(digest, mediaType, size, NO_BODY);
      const reply = chosen(replies, digest, headers['if-none-match']);
      return { ...byAccept(reply, reference, mediaType, preference), outcome };
    }
    const { manifest, outcome } = await pull(question, resolution, preference);
    const { byDigest } = this.#prepared.of(manifest);
    const { reply } = chosen(byDigest, manifest.digest, headers['if-none-match']);
    return { ...byAccept(reply, reference, manifest.mediaType, preference), outcome };
  }

  /** Returns what `answer` would, if that takes neither I/O nor waiting; also for HEAD, whose body is not sent. */
  answerNow(
    { repository, path: { reference } }: ManifestRoute,
    incoming: IncomingMessage,
  ): PreparedAnswer | undefined {
    const resolution = repository.resolveNow(reference);
    const pulled = resolution && repository.manifestNow(resolution);
    if (pulled === undefined) return undefined;
    const { manifest, outcome } = pulled;
    const isByTag = reference.kind === 'tag';
    const mayBeChild = isByTag && isIndexMediaType(manifest.mediaType);
    // A client of single images goes on only if its answer is that of all others.
    if (mayBeChild && this.#preference(incoming).wantsSingleImage) return undefined;
    const { byTag, byDigest } = this.#prepared.of(manifest);
    const replies = isByTag ? byTag : byDigest;
    const isConditional = incoming.headers['if-none-match'] !== undefined;
    const prepared = isConditional
      ? chosen(replies, manifest.digest, incoming.headersDistinct['if-none-match'])
      : replies.whole;
    return { prepared, outcome };
  }

  #preference(incoming: IncomingMessage): ManifestPreference {
    const { accept = '' } = incoming.headers;
    const known = this.#preferences.get(accept);
    if (known !== undefined) return known;
    const preference = preferenceOf(incoming.headersDistinct['accept']);
    this.#preferences.put(accept, preference);
    return preference;
  }
}

/** Returns the headers, if they are known without the manifest. A digest names one manifest, whatever the client accepts. */
function acceptedHead(
  repository: Repository,
  resolution: Resolution,
  preference: ManifestPreference,
): Promise<ManifestHead | undefined> {
  const { reference, head } = resolution;
  const isAccepted =
    reference.kind === 'digest' || (head !== undefined && preference.accepts(head.mediaType));
  return isAccepted ? repository.manifestHead(resolution) : Promise.resolve(undefined);
}

/** Pulls the manifest, or the linux/amd64 child of a tag's index if the client knows single images only. */
async function pull(
  question: Question,
  resolution: Resolution,
  { wantsSingleImage }: ManifestPreference,
): Promise<PulledManifest> {
  const { repository } = question;
  const pulled = await repository.manifest(resolution);
  const isWhole = resolution.reference.kind === 'digest' || !wantsSingleImage;
  if (isWhole || !isIndexMediaType(pulled.manifest.mediaType)) return pulled;
  const digest = await repository.linuxImage(pulled.manifest);
  const image = await repository.manifest(await repository.resolve({ kind: 'digest', digest }, question));
  return { manifest: image.manifest, outcome: joined(pulled.outcome, image.outcome) };
}

function chosen<R>({ whole, notModified }: ManifestReplies<R>, digest: Digest, ifNoneMatch: HeaderLines): R {
  return matchesETag(parseIfNoneMatch(ifNoneMatch), digest) ? notModified : whole;
}

function byAccept(
  reply: ReadyReply,
  reference: Reference,
  mediaType: string,
  { wantsSingleImage }: ManifestPreference,
): ReadyReply {
  const isChosen = wantsSingleImage || isIndexMediaType(mediaType);
  return reference.kind === 'tag' && isChosen ? variedByAccept(reply) : reply;
}

function preferenceOf(header: HeaderLines): ManifestPreference {
  const accept = parseAccept(header);
  return {
    accepts: (mediaType) => accepts(accept, mediaType),
    wantsSingleImage: namesOnlySingleImages(accept),
  };
}
