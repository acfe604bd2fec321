import type { IncomingMessage } from 'node:http';
import { accepts, namesOnlySingleImages, parseAccept } from '../../../http/accept.ts';
import { matchesETag, parseIfNoneMatch } from '../../../http/etag.ts';
import type { HeaderLines } from '../../../http/scanner.ts';
import type { ManifestPreference } from '../../../repository/manifest-preference.ts';
import type { Mirror } from '../../../mirror/mirror.ts';
import type { Digest } from '../../../oci/digest.ts';
import { isIndexMediaType } from '../../../oci/media-type.ts';
import type { Reference } from '../../../oci/reference.ts';
import type { Answer } from '../answer.ts';
import type { ManifestRoute } from '../manifest-routes.ts';
import { Memo } from '../memo.ts';
import { NO_BODY, type ReadyReply } from '../../reply.ts';
import { prepareManifest, PreparedManifests, type PreparedManifest } from './prepared-manifest.ts';
import type { Question } from './question.ts';

/**
 * GET and HEAD of a manifest: byte-exact, with its own bare media type, its exact length and its digest, which
 * clients take for granted on both methods (distribution-spec, "Pulling manifests").
 */
export class ManifestHandler {
  readonly #mirror: Mirror;
  readonly #prepared = new PreparedManifests();
  readonly #preferences = new Memo<ManifestPreference>();

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  /** @throws as the mirror does */
  async answer(question: Question, reference: Reference): Promise<Answer> {
    const { target, isHead, headers } = question;
    const preference = preferenceOf(headers['accept']);
    if (isHead) {
      const head = await this.#mirror.manifestHead(target, reference, preference);
      const { digest, mediaType, size, outcome } = head;
      const prepared = prepareManifest(digest, mediaType, size, NO_BODY);
      const reply = chosen(prepared, digest, headers['if-none-match']);
      return { ...byAccept(reply, reference, mediaType, preference), outcome };
    }
    const { manifest, outcome } = await this.#mirror.manifest(target, reference, preference);
    const reply = chosen(this.#prepared.of(manifest), manifest.digest, headers['if-none-match']);
    return { ...byAccept(reply, reference, manifest.mediaType, preference), outcome };
  }

  /** What `answer` gives, where it takes neither I/O nor waiting; also to HEAD, whose body is not sent. */
  answerNow({ target, reference }: ManifestRoute, incoming: IncomingMessage): Answer<ReadyReply> | undefined {
    const pulled = this.#mirror.manifestNow(target, reference, () => this.#preference(incoming));
    if (pulled === undefined) return undefined;
    const { manifest, outcome } = pulled;
    const prepared = this.#prepared.of(manifest);
    const isConditional = incoming.headers['if-none-match'] !== undefined;
    const reply = isConditional
      ? chosen(prepared, manifest.digest, incoming.headersDistinct['if-none-match'])
      : prepared.whole;
    // A client of single images is not answered here where that makes a difference.
    const { status, headers, body } = byAccept(reply, reference, manifest.mediaType);
    return { status, headers, body, outcome };
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

function chosen(prepared: PreparedManifest, digest: Digest, ifNoneMatch: HeaderLines): ReadyReply {
  const isKnown = matchesETag(parseIfNoneMatch(ifNoneMatch), digest);
  return isKnown ? prepared.notModified : prepared.whole;
}

export const VARY_BY_ACCEPT = { Vary: 'Accept' };

/**
 * Tells caches in front where Accept has chosen the answer (RFC 9110 §12.5.5): of a tag's index a client of single
 * images gets a child.
 */
function byAccept(
  reply: ReadyReply,
  reference: Reference,
  mediaType: string,
  preference?: ManifestPreference,
): ReadyReply {
  const isChosen = isIndexMediaType(mediaType) || preference?.wantsSingleImage === true;
  if (reference.kind !== 'tag' || !isChosen) return reply;
  return { ...reply, headers: { ...reply.headers, ...VARY_BY_ACCEPT } };
}

function preferenceOf(header: HeaderLines): ManifestPreference {
  const accept = parseAccept(header);
  return {
    accepts: (mediaType) => accepts(accept, mediaType),
    wantsSingleImage: namesOnlySingleImages(accept),
  };
}
