import type { IncomingMessage } from 'node:http';
import { askedAnew } from '../../mirror/asked-anew.ts';
import { within } from '../../async/deadline.ts';
import type { Mirror } from '../../mirror/mirror.ts';
import { outcomeName } from '../../repository/outcome.ts';
import type { Clock } from '../../clock.ts';
import { asksAnew } from '../../http/cache-control.ts';
import { formatWarnings } from '../../http/warning.ts';
import { asciiLower } from '../../oci/ascii.ts';
import { RegistryError } from '../../oci/error.ts';
import { formatReference } from '../../oci/reference.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { assertAddressedOnce } from './addressed-once.ts';
import type { Answer } from './answer.ts';
import { statusOfError, statusOfOutcome } from './cache-status.ts';
import { clientKey } from '../client-key.ts';
import { withCommonHeaders } from '../common-headers.ts';
import { errorReply } from '../error-reply.ts';
import { answerBlob } from './handlers/blob.ts';
import { answerCatalog, answerReferrers, answerTags, type CatalogView } from './handlers/lists.ts';
import { ManifestHandler, VARY_BY_ACCEPT } from './handlers/manifest.ts';
import type { Question } from './handlers/question.ts';
import { ManifestRoutes } from './manifest-routes.ts';
import { LoopError, type LoopGuard } from './loop-guard.ts';
import { jsonBody, type ReadyReply, type Reply } from '../reply.ts';
import type { RequestRecord } from '../request-record.ts';
import { SealedCursors, type RandomBytes } from './sealed-cursor.ts';
import type { UpstreamTable } from './select-upstream.ts';
import { splitUrl } from '../split-url.ts';
import { parseV2Path, type V2Path } from './v2-path.ts';

export interface RegistryOptions {
  readonly clock: Clock;
  /** How long a client waits for its answer, milliseconds. */
  readonly answerMs: number;
  readonly randomBytes: RandomBytes;
  readonly passage: LoopGuard;
}

/** The registry API: from a request to its reply. Everything about HTTP ends here; the mirror knows none of it. */
export class Registry {
  readonly #mirror: Mirror;
  readonly #upstreams: UpstreamTable;
  readonly #manifests: ManifestHandler;
  readonly #manifestRoutes: ManifestRoutes;
  readonly #catalog: CatalogView;
  readonly #options: RegistryOptions;

  constructor(mirror: Mirror, upstreams: UpstreamTable, options: RegistryOptions) {
    this.#mirror = mirror;
    this.#upstreams = upstreams;
    this.#manifests = new ManifestHandler(mirror);
    this.#manifestRoutes = new ManifestRoutes(upstreams);
    this.#catalog = {
      isServed: (path) => upstreams.serves(path),
      cursors: new SealedCursors(options.randomBytes),
    };
    this.#options = options;
  }

  /**
   * What `reply` gives, where that takes neither I/O nor waiting: a manifest that is in memory, within its time to
   * live. docs/adr/0009.
   * @returns undefined where it takes more, or something is wrong: then `reply` is to be asked
   */
  replyNow(incoming: IncomingMessage, record: RequestRecord): ReadyReply | undefined {
    if (this.#options.passage.hasPassed(incoming.headers.via)) return undefined;
    const route = this.#manifestRoutes.find(incoming);
    if (route === undefined || incoming.headers['cache-control'] !== undefined) return undefined;
    const answer = this.#manifests.answerNow(route, incoming);
    if (answer === undefined) return undefined;
    const { target, referenceText, ns } = route;
    record.requestKind = 'manifest';
    record.upstream = target.key.registry;
    record.repository = target.key.repository;
    record.reference = referenceText;
    return withNamespace(rendered(answer, record), record, ns);
  }

  /** Never rejects: what goes wrong becomes an error reply, and is noted in the record. */
  async reply(incoming: IncomingMessage, record: RequestRecord): Promise<Reply> {
    const { path: rawPath, query } = splitUrl(incoming.url ?? '/');
    const ns = query.get('ns') ?? undefined;
    const { via } = incoming.headers;
    const { passage } = this.#options;
    let path: V2Path | undefined;
    try {
      record.requestKind = 'invalid';
      assertReadMethod(incoming.method);
      assertAddressedOnce(incoming.rawHeaders, query);
      path = parseV2Path(rawPath);
      record.requestKind = path.kind;
      if (passage.hasPassed(via)) throw new LoopError();
      const asked = { path, rawPath, query, ns };
      const answer = await passage.carry(via, () => this.#answer(asked, incoming, record));
      return withNamespace(rendered(answer, record), record, ns);
    } catch (error) {
      record.error = error;
      record.outcome = 'error';
      const { upstream } = record;
      const reply = errorReply(error, { kind: path?.kind, hasFallback: ns !== undefined, upstream });
      const ageMs = error instanceof UpstreamError ? error.ageMs : undefined;
      const told = withCommonHeaders(byTag(path, reply), record.id, statusOfError(error), ageMs);
      return withNamespace(told, record, ns);
    }
  }

  #answer(asked: Asked, incoming: IncomingMessage, record: RequestRecord): Promise<Answer> {
    const { path } = asked;
    if (path.kind === 'ping') return this.#pong(path.upstream);
    if (path.kind === 'catalog') return answerCatalog(this.#mirror, asked, this.#catalog);
    const question = this.#question(path, incoming, record, asked);
    return this.#inTime(this.#answerTo(question, path, record), question.target.key.registry);
  }

  async #pong(upstream: string | undefined): Promise<Answer> {
    if (upstream !== undefined) this.#upstreams.assertConfigured(upstream);
    return PONG;
  }

  #answerTo(question: Question, path: AboutRepository, record: RequestRecord): Promise<Answer> {
    switch (path.kind) {
      case 'manifest':
        record.reference = formatReference(path.reference);
        return this.#manifests.answer(question, path.reference);
      case 'blob':
        record.reference = path.digest;
        return answerBlob(this.#mirror, question, path.digest);
      case 'referrers':
        record.reference = path.digest;
        return answerReferrers(this.#mirror, question, path.digest);
      case 'tags':
        return answerTags(this.#mirror, question);
    }
  }

  /**
   * Each step of asking upstream has a deadline of its own, but there may be many in a row: token, redirect, again.
   * A client that got no headers in 30 s leaves without knowing why (containerd). What it waited for goes on for
   * others, and for its next try.
   */
  async #inTime(answer: Promise<Answer>, upstream: string): Promise<Answer> {
    const { clock, answerMs } = this.#options;
    const given = await within(clock, answerMs, answer);
    if (given !== undefined) return given;
    answer.then(dismiss).catch(() => undefined);
    const message = `what was asked for has not come within ${answerMs} ms; it is still waited for`;
    throw new UpstreamError(upstream, 'unavailable', 'timeout', message);
  }

  #question(path: AboutRepository, incoming: IncomingMessage, record: RequestRecord, asked: Asked): Question {
    const { segments, prefix } = path;
    const selected = this.#upstreams.select({ segments, prefix, ns: asked.ns, host: incoming.headers.host });
    const target =
      isMovable(path) && asksAnew(incoming.headers['cache-control']) ? askedAnew(selected) : selected;
    record.upstream = target.key.registry;
    record.repository = target.key.repository;
    return {
      target,
      client: clientKey(record.client),
      name: segments.join('/'),
      query: asked.query,
      rawPath: asked.rawPath,
      headers: incoming.headersDistinct,
      isHead: incoming.method === 'HEAD',
      randomBytes: this.#options.randomBytes,
      needsLength: incoming.httpVersionMajor === 1 && incoming.httpVersionMinor === 0,
    };
  }
}

/** Lets go of an answer that nobody waits for any more. */
async function dismiss({ body }: Answer): Promise<void> {
  if (body.kind === 'blob') await body.reader.close();
}

/** What is about a repository, and so about an upstream. */
type AboutRepository = Exclude<V2Path, { readonly kind: 'ping' } | { readonly kind: 'catalog' }>;

/** Whether the answer may be another one tomorrow: what a digest names never is. */
function isMovable(path: AboutRepository): boolean {
  if (path.kind === 'manifest') return path.reference.kind === 'tag';
  return path.kind !== 'blob';
}

interface Asked {
  readonly path: V2Path;
  readonly rawPath: string;
  readonly query: URLSearchParams;
  readonly ns: string | undefined;
}

/** 200 without ever asking an upstream: clients leave a mirror whose ping fails. */
const PONG: Answer = { status: 200, headers: { 'Content-Type': 'application/json' }, body: jsonBody({}) };

function assertReadMethod(method: string | undefined): void {
  if (method === 'GET' || method === 'HEAD') return;
  throw new RegistryError('UNSUPPORTED', 'the mirror is read-only: push to the registry itself');
}

/** Another Accept may not meet the error: an index can be given to some clients and not to others. */
function byTag(path: V2Path | undefined, reply: Reply): Reply {
  if (path?.kind !== 'manifest' || path.reference.kind !== 'tag') return reply;
  return { ...reply, headers: { ...reply.headers, ...VARY_BY_ACCEPT } };
}

function rendered<R extends Reply>(answer: Answer<R>, record: RequestRecord): R {
  const { outcome } = answer;
  if (outcome !== undefined) record.outcome = outcomeName(outcome);
  const reply = withCommonHeaders(answer, record.id, statusOfOutcome(outcome), outcome?.ageMs);
  if (outcome?.warning === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, Warning: formatWarnings([outcome.warning]) } };
}

/**
 * Tells a client that came by `ns` that it was understood (distribution-spec, "Registry Proxying"): by the name that
 * the config has for it. It has selected an upstream, so that is what it is in lower case.
 */
function withNamespace<R extends Reply>(reply: R, record: RequestRecord, ns: string | undefined): R {
  if (ns === undefined || record.upstream === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, 'OCI-Namespace': asciiLower(ns) } };
}
