import type { IncomingMessage } from 'node:http';
import { AccessError } from '../../access/access-error.ts';
import type { Gate } from '../../access/gate.ts';
import type { Identity } from '../../access/identity.ts';
import { within } from '../../async/deadline.ts';
import type { Clock } from '../../clock.ts';
import { asksAnew } from '../../http/cache-control.ts';
import { RegistryError } from '../../oci/error.ts';
import type { Addressing, RepositoryTable } from '../../repository/repository-table.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { errorPrivacyOf } from '../cache-privacy.ts';
import { authorizationOf } from '../request/authorization.ts';
import { clientKey } from '../request/client-key.ts';
import { identify } from '../request/identify.ts';
import { withCommonHeaders } from '../common-headers.ts';
import { errorReply } from '../error-reply.ts';
import { jsonBody, type FlatReply, type Reply } from '../reply.ts';
import type { PublicUrl } from '../request/public-url.ts';
import type { RequestRecord } from '../request/request-record.ts';
import type { Answer } from './answer.ts';
import { statusOfError } from './cache-status.ts';
import { challengeOf } from './challenge-of.ts';
import { concealed } from './concealed.ts';
import { answerBlob } from './handlers/blob.ts';
import { answerCatalog, answerReferrers, answerTags, type CatalogView } from './handlers/lists.ts';
import { ManifestHandler } from './handlers/manifest.ts';
import { VARY_BY_ACCEPT } from './handlers/prepared-manifest.ts';
import type { Question, RandomBytes } from './handlers/question.ts';
import { LoopError, type LoopGuard } from './loop-guard.ts';
import { rendered, renderedFlat, withHeaders, withNamespace } from './rendered.ts';
import { Routes, type Route } from './route.ts';
import {
  actionOf,
  assertReadable,
  prefixOf,
  spelledAddress,
  type SpelledAddress,
} from './spelled-address.ts';
import type { V2Path } from './v2-path.ts';

export interface RegistryOptions {
  readonly clock: Clock;
  /** The longest that a client waits for its answer, milliseconds. */
  readonly answerMs: number;
  readonly randomBytes: RandomBytes;
  readonly passage: LoopGuard;
  readonly gate: Gate;
  readonly publicUrl: Pick<PublicUrl, 'tokenRealm'>;
  /** Returns a page of the cached repositories: `registry/repository`, in ASCII order. */
  readonly catalog: CatalogView['page'];
}

/** The registry API, from a request to its reply. Repositories know nothing about HTTP. */
export class Registry {
  readonly #repositories: RepositoryTable;
  readonly #routes: Routes;
  readonly #manifests = new ManifestHandler();
  readonly #options: RegistryOptions;

  constructor(repositories: RepositoryTable, options: RegistryOptions) {
    this.#repositories = repositories;
    this.#routes = new Routes(repositories);
    this.#options = options;
  }

  /**
   * Returns what `reply` would, if that takes neither I/O nor waiting: a manifest that is in memory, within its time to
   * live (docs/adr/0009).
   * @returns undefined if it takes more, or something is wrong: then the caller calls `reply`
   */
  replyNow(incoming: IncomingMessage, record: RequestRecord): FlatReply | undefined {
    const { passage, gate } = this.#options;
    if (passage.hasPassed(incoming.headers.via)) return undefined;
    const client = (): string => clientKey(record.client);
    const identity = gate.authentication.identifyNow(authorizationOf(incoming), client);
    if (identity === undefined || incoming.headers['cache-control'] !== undefined) return undefined;
    const route = this.#routes.findManifest(incoming);
    if (route === undefined || !gate.allows(identity, 'pull', route.repository.key)) return undefined;
    const answer = this.#manifests.answerNow(route, incoming);
    if (answer === undefined) return undefined;
    record.principal = identity.principal;
    record.requestKind = 'manifest';
    note(route, record);
    return renderedFlat(answer, record, route.ns);
  }

  /** Replies to a request. Never rejects: an error becomes an error reply, and is noted in the record. */
  async reply(incoming: IncomingMessage, record: RequestRecord): Promise<Reply> {
    const { via } = incoming.headers;
    const { passage, gate } = this.#options;
    const spelled = spelledAddress(incoming);
    try {
      record.requestKind = 'invalid';
      assertReadMethod(incoming.method);
      noteKind(spelled, record);
      if (passage.hasPassed(via)) throw new LoopError();
      const identity = await identify(gate.authentication, incoming, record);
      const answer = await passage.carry(via, () => this.#answer(spelled, identity, incoming, record));
      return rendered(answer, record, spelled.ns);
    } catch (error) {
      return this.#failed(error, spelled, incoming, record);
    }
  }

  #failed(
    error: unknown,
    { path, ns }: SpelledAddress,
    incoming: IncomingMessage,
    record: RequestRecord,
  ): Reply {
    record.error = error;
    record.outcome = 'error';
    const isRefused = error instanceof AccessError;
    const { upstream } = record;
    const challenge = isRefused ? challengeOf(error, path, this.#realm({ path, ns }, incoming)) : undefined;
    const reply = errorReply(error, { kind: path?.kind, hasFallback: ns !== undefined, upstream, challenge });
    const ageMs = error instanceof UpstreamError ? error.ageMs : undefined;
    const privacy = errorPrivacyOf(error, record.principal);
    const told = withCommonHeaders(varyOnTag(path, reply), record.id, statusOfError(error), ageMs, privacy);
    // The header tells that the `ns` is configured, which a refusal does not.
    return isRefused ? told : withNamespace(told, record, ns);
  }

  async #answer(
    spelled: SpelledAddress,
    identity: Identity,
    incoming: IncomingMessage,
    record: RequestRecord,
  ): Promise<Answer> {
    const { gate } = this.#options;
    const { host } = incoming.headers;
    const { path, ...rest } = concealed(gate, identity, () => assertReadable(spelled));
    if (path.kind === 'ping') return this.#pong(identity, { prefix: path.upstream, host });
    if (path.kind === 'catalog') return answerCatalog(rest, this.#catalogFor(identity));
    const route = concealed(gate, identity, () => this.#routes.find({ path, ...rest }, host));
    note(route, record);
    gate.assertAllowed(identity, actionOf(path), route.repository.key);
    return this.#inTime(this.#answerTo(route, this.#question(route, incoming, record)), route);
  }

  /** A registry's name stands in the realm as the client spelled it, so that it does not tell which ones there are. */
  #realm({ path, ns }: Pick<SpelledAddress, 'path' | 'ns'>, incoming: IncomingMessage): string | undefined {
    const { publicUrl } = this.#options;
    const { host } = incoming.headers;
    const registry = ns ?? prefixOf(path) ?? this.#repositories.registryOf({ prefix: undefined, host });
    return publicUrl.tokenRealm(incoming, registry);
  }

  #pong(identity: Identity, address: Pick<Addressing, 'prefix' | 'host'>): Answer {
    const { gate } = this.#options;
    gate.assertPing(
      identity,
      concealed(gate, identity, () => this.#repositories.registryOf(address)),
    );
    return PONG;
  }

  #catalogFor(identity: Identity): CatalogView {
    const mayShow = this.#options.gate.shownInCatalog(identity);
    const isShown = (path: string): boolean => {
      const key = this.#repositories.servedKey(path);
      return key !== undefined && mayShow?.(key) === true;
    };
    return { page: this.#options.catalog, isShown: mayShow && isShown };
  }

  #answerTo({ path }: Route, question: Question): Promise<Answer> {
    switch (path.kind) {
      case 'manifest':
        return this.#manifests.answer(question, path.reference);
      case 'blob':
        return answerBlob(question, path.digest);
      case 'referrers':
        return answerReferrers(question, path.digest);
      case 'tags':
        return answerTags(question);
    }
  }

  /**
   * Waits for an answer, at most `answerMs`. Each step of asking upstream has a deadline of its own, but there may be
   * many in a row: token, redirect, retry. A client that got no headers in 30 s leaves without knowing why
   * (containerd). The work goes on for other clients, and for this client's next try.
   */
  async #inTime(answer: Promise<Answer>, { repository }: Route): Promise<Answer> {
    const { clock, answerMs } = this.#options;
    const inTime = await within(clock, answerMs, answer);
    if (inTime !== undefined) return inTime;
    answer.then(dismiss).catch(() => undefined);
    const message = `what was asked for has not come within ${answerMs} ms; it is still waited for`;
    throw new UpstreamError(repository.key.registry, 'unavailable', 'timeout', message);
  }

  #question(
    { path, repository, query, rawPath }: Route,
    incoming: IncomingMessage,
    record: RequestRecord,
  ): Question {
    return {
      repository,
      isAnew: asksAnew(incoming.headers['cache-control']),
      client: clientKey(record.client),
      name: path.segments.join('/'),
      query,
      rawPath,
      headers: incoming.headersDistinct,
      isHead: incoming.method === 'HEAD',
      randomBytes: this.#options.randomBytes,
      needsLength: incoming.httpVersionMajor === 1 && incoming.httpVersionMinor === 0,
    };
  }
}

/** Notes in the record what the request asks for. */
function note({ repository: { key }, subject }: Route, record: RequestRecord): void {
  record.upstream = key.registry;
  record.repository = key.repository;
  record.reference = subject;
}

/** Notes in the record what kind of answer the request asks for. */
function noteKind({ path }: SpelledAddress, record: RequestRecord): void {
  if (path === undefined) return;
  record.requestKind = path.kind;
  record.action = actionOf(path);
}

/** Lets go of an answer that the client does not wait for any more. */
async function dismiss({ body }: Answer): Promise<void> {
  if (body.kind === 'blob') await body.reader.close();
}

/** A ping is answered 200 without asking an upstream: clients leave a mirror whose ping fails. */
const PONG: Answer = { status: 200, headers: { 'Content-Type': 'application/json' }, body: jsonBody({}) };

function assertReadMethod(method: string | undefined): void {
  if (method === 'GET' || method === 'HEAD') return;
  throw new RegistryError('UNSUPPORTED', 'the mirror is read-only: push to the registry itself');
}

/** An error about a tag depends on Accept: some clients can be given an index and others cannot. */
function varyOnTag(path: V2Path | undefined, reply: Reply): Reply {
  if (path?.kind !== 'manifest' || path.reference.kind !== 'tag') return reply;
  return withHeaders(reply, VARY_BY_ACCEPT);
}
