import type { IncomingMessage } from 'node:http';
import { accepts, namesOnlySingleImages, parseAccept } from '../../http/accept.ts';
import { matchesETag, parseIfNoneMatch } from '../../http/etag.ts';
import type { HeaderLines } from '../../http/scanner.ts';
import type { ManifestPreference, Mirror } from '../../cache/mirror.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Answer } from '../answer.ts';
import type { ManifestRoute } from '../manifest-routes.ts';
import { Memo } from '../memo.ts';
import { NO_BODY, type ReadyReply } from '../reply.ts';
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
      return { ...chosen(prepared, digest, headers['if-none-match']), outcome };
    }
    const { manifest, outcome } = await this.#mirror.manifest(target, reference, preference);
    const prepared = this.#prepared.of(manifest);
    return { ...chosen(prepared, manifest.digest, headers['if-none-match']), outcome };
  }

  /** What `answer` gives, where it takes neither I/O nor waiting; also to HEAD, whose body is not sent. */
  answerNow({ target, reference }: ManifestRoute, incoming: IncomingMessage): Answer<ReadyReply> | undefined {
    const pulled = this.#mirror.manifestNow(target, reference, () => this.#preference(incoming));
    if (pulled === undefined) return undefined;
    const { manifest, outcome } = pulled;
    const prepared = this.#prepared.of(manifest);
    const isConditional = incoming.headers['if-none-match'] !== undefined;
    const { status, headers, body } = isConditional
      ? chosen(prepared, manifest.digest, incoming.headersDistinct['if-none-match'])
      : prepared.whole;
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

function preferenceOf(header: HeaderLines): ManifestPreference {
  const accept = parseAccept(header);
  return {
    accepts: (mediaType) => accepts(accept, mediaType),
    wantsSingleImage: namesOnlySingleImages(accept),
  };
}
