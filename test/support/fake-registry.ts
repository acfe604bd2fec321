/**
 * A registry that behaves: a real HTTP(S) server on a free loopback port with repositories, blobs, manifests
 * with their real digests, tags with pages, referrers, and authentication. For tests of what is above the
 * upstream client; for one strange exchange use scripted-upstream.ts.
 *
 *     await using registry = await startFakeRegistry();
 *     const image = registry.putImage('library/debian', '12', { layers: [randomBytes(1_000_000)] });
 *     registry.fault({ digest: image.layers[0].digest, times: 1 }, cutAfter(1000));
 *     …
 *     expect(registry.count({ kind: 'blob', method: 'GET', digest: image.layers[0].digest })).toBe(2);
 *
 * - `fault(where, ...verbs)` changes the answers to the requests that `where` names; verbs are in
 *   scripted-reply.ts, `instead(status(429, { retryAfter: 7 }))` replaces the answer. It returns a function
 *   that ends it. `down()` resets every connection, `up()` ends that.
 * - `requests` is the log, parsed; `count(where)` counts in it.
 * - `auth`: `basic`, or `bearer` with its token endpoint on the same server; `expireTokens()` makes all
 *   tokens given so far invalid.
 */
import { createDigester, digestOf, type Digest } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { FakeRegistryAuth, type AuthOptions } from './fake-registry-auth.ts';
import { parseRegistryPath, type RegistryRequest } from './fake-registry-path.ts';
import {
  bytes,
  json,
  redirect,
  registryError,
  resetBeforeHeaders,
  status,
  type Answer,
  type Fault,
  type Incoming,
  type Reply,
} from './scripted-reply.ts';
import { startServer, type Hit, type RunningServer, type ServerOptions } from './scripted-server.ts';

export interface FakeRegistryOptions extends ServerOptions {
  readonly auth?: AuthOptions;
  /** Whether there is a referrers API. Default true. */
  readonly referrers?: boolean;
  /** Whether manifests and blobs are answered with Docker-Content-Digest. Default true. */
  readonly digestHeader?: boolean;
  /** The most tags on a page. Default 100. */
  readonly pageSize?: number;
  /** The host name by which clients know it; its own URLs name it. Default: the loopback address. */
  readonly host?: string;
  /** Answer blobs with a redirect to `/storage/<digest>` on this server, as to an object store. Default false. */
  readonly redirectBlobs?: boolean;
  /** The host name of that object store. Default: the registry's own. */
  readonly storageHost?: string;
}

/** Selects requests; a field that is left out matches all. */
export interface RequestFilter extends Partial<RegistryRequest> {
  readonly method?: string;
  /** Whether the request has a Range. */
  readonly isPart?: boolean;
}

/** A parsed request, with its answer. */
export type RegistryHit = Hit & RegistryRequest & { readonly isPart: boolean };

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

export interface StoredImage extends StoredManifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface Repository {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, Digest>;
}

interface ActiveFault {
  readonly filter: RequestFilter;
  readonly verbs: readonly Fault[];
  remaining: number;
}

export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const registry = new FakeRegistry(options);
  await registry.listen();
  return registry;
}

export class FakeRegistry implements AsyncDisposable {
  readonly auth: FakeRegistryAuth;
  readonly #options: FakeRegistryOptions;
  readonly #repositories = new Map<string, Repository>();
  readonly #faults: ActiveFault[] = [];
  #server: RunningServer | undefined;
  #endDown: (() => void) | undefined;

  constructor(options: FakeRegistryOptions) {
    this.#options = options;
    this.auth = new FakeRegistryAuth(options.auth);
  }

  async listen(): Promise<void> {
    this.#server = await startServer((incoming) => this.#respond(incoming), this.#options);
  }

  get url(): URL {
    const { host } = this.#options;
    const url = new URL(this.#running.url);
    if (host !== undefined) url.hostname = host;
    return url;
  }

  get port(): number {
    return this.#running.port;
  }

  /** Every request so far, in order of arrival. */
  get requests(): readonly RegistryHit[] {
    return this.#running.hits.map(parsed);
  }

  count(filter: RequestFilter = {}): number {
    return this.requests.filter((request) => matches(filter, request)).length;
  }

  putBlob(repository: string, content: Uint8Array, mediaType = 'application/octet-stream'): Descriptor {
    const digest = digestOf(content);
    this.#repository(repository).blobs.set(digest, content);
    return { mediaType, digest, size: content.length };
  }

  /** Stores a document as its JSON, or bytes as they are; a tag names it. */
  putManifest(
    repository: string,
    tag: string | undefined,
    document: object | Uint8Array,
    mediaType: string = MediaType.ociManifest,
  ): StoredManifest {
    const content = document instanceof Uint8Array ? document : Buffer.from(JSON.stringify(document));
    const digest = digestOf(content);
    const stored = {
      digest,
      mediaType,
      bytes: content,
      descriptor: { mediaType, digest, size: content.length },
    };
    this.#repository(repository).manifests.set(digest, stored);
    if (tag !== undefined) this.tag(repository, tag, digest);
    return stored;
  }

  /** Stores an image manifest with its config and layers. */
  putImage(
    repository: string,
    tag: string | undefined,
    parts: {
      layers?: readonly Uint8Array[];
      config?: object;
      subject?: Descriptor;
      artifactType?: string;
    } = {},
  ): StoredImage {
    const config = this.putBlob(
      repository,
      Buffer.from(JSON.stringify(parts.config ?? { architecture: 'amd64', os: 'linux', rootfs: {} })),
      'application/vnd.oci.image.config.v1+json',
    );
    const layers = (parts.layers ?? [Buffer.from('a layer')]).map((layer) =>
      this.putBlob(repository, layer, 'application/vnd.oci.image.layer.v1.tar'),
    );
    const { subject, artifactType } = parts;
    const mediaType = MediaType.ociManifest;
    const document = { schemaVersion: 2, mediaType, artifactType, config, layers, subject };
    return { ...this.putManifest(repository, tag, document, mediaType), config, layers };
  }

  putIndex(repository: string, tag: string | undefined, manifests: readonly Descriptor[]): StoredManifest {
    const mediaType = MediaType.ociIndex;
    return this.putManifest(repository, tag, { schemaVersion: 2, mediaType, manifests }, mediaType);
  }

  tag(repository: string, tag: string, digest: Digest): void {
    this.#repository(repository).tags.set(tag, digest);
  }

  deleteTag(repository: string, tag: string): void {
    this.#repository(repository).tags.delete(tag);
  }

  /** Deletes a blob or a manifest. */
  deleteDigest(repository: string, digest: Digest): void {
    this.#repository(repository).blobs.delete(digest);
    this.#repository(repository).manifests.delete(digest);
  }

  /** Changes the answers to the requests that `filter` selects, `times` times. @returns a function that ends it */
  fault({ times, ...filter }: RequestFilter & { times?: number }, ...verbs: readonly Fault[]): () => void {
    const fault: ActiveFault = { filter, verbs, remaining: times ?? Number.POSITIVE_INFINITY };
    this.#faults.push(fault);
    return () => {
      fault.remaining = 0;
    };
  }

  /** Resets every connection from now on. */
  down(): void {
    this.#endDown ??= this.fault({}, resetBeforeHeaders());
  }

  up(): void {
    this.#endDown?.();
    this.#endDown = undefined;
  }

  expireTokens(): void {
    this.auth.expireTokens();
  }

  /** Stops listening: connections are refused from now on. */
  async close(): Promise<void> {
    await this.#running.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #running(): RunningServer {
    if (this.#server === undefined) throw new Error('not listening');
    return this.#server;
  }

  #repository(name: string): Repository {
    const known = this.#repositories.get(name);
    if (known !== undefined) return known;
    const created = { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.#repositories.set(name, created);
    return created;
  }

  async #respond(incoming: Incoming): Promise<Reply> {
    const request = parseRegistryPath(incoming.path);
    const refusal = this.auth.answer(incoming, request, this.url);
    const answer = refusal ?? this.#answer(incoming, request);
    const reply = typeof answer === 'function' ? await answer(incoming) : answer;
    const active = this.#faults.filter(
      ({ filter, remaining }) =>
        remaining > 0 &&
        matches(filter, { ...request, method: incoming.method, isPart: asksForPart(incoming) }) &&
        // A test that names a blob does not mean the challenge before it.
        (refusal === undefined || request.kind === 'token' || Object.keys(filter).length === 0),
    );
    for (const fault of active) fault.remaining -= 1;
    return active.flatMap((fault) => fault.verbs).reduce((changed, verb) => verb(changed), reply);
  }

  #answer(incoming: Incoming, request: RegistryRequest): Answer {
    if (request.kind === 'ping') return json({});
    if (request.kind === 'storage') return this.#storedBytes(request.digest);
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') return registryError(405, 'UNSUPPORTED');
    if (request.kind === 'catalog') return this.#catalog(incoming.query);
    const repository = this.#repositories.get(request.repository ?? '');
    if (repository === undefined) return registryError(404, 'NAME_UNKNOWN');
    switch (request.kind) {
      case 'manifest':
        return this.#manifest(repository, request.reference ?? '', incoming);
      case 'blob':
        return this.#blob(repository, request.digest ?? '');
      case 'tags':
        return this.#tags(repository, request.repository ?? '', incoming.query);
      case 'referrers':
        return this.#referrers(repository, request.digest);
      default:
        return registryError(404, 'NAME_UNKNOWN');
    }
  }

  #manifest(repository: Repository, reference: string, incoming: Incoming): Answer {
    const digest = reference.includes(':') ? reference : repository.tags.get(reference);
    const bySha512 = reference.startsWith('sha512:');
    const stored = bySha512
      ? [...repository.manifests.values()].find(({ bytes }) => sha512(bytes) === reference)
      : repository.manifests.get(digest ?? '');
    if (stored === undefined) return registryError(404, 'MANIFEST_UNKNOWN');
    // distribution answers 404 if Accept lacks the exact OCI type.
    if (!String(incoming.headers.accept).includes(stored.mediaType)) {
      return registryError(404, 'MANIFEST_UNKNOWN', { message: 'Accept header does not support it' });
    }
    return {
      status: 200,
      headers: {
        'content-type': stored.mediaType,
        ...this.#digestHeader(bySha512 ? reference : stored.digest),
      },
      body: stored.bytes,
    };
  }

  #blob(repository: Repository, digest: string): Answer {
    const content = repository.blobs.get(digest);
    if (content === undefined) return registryError(404, 'BLOB_UNKNOWN');
    if (this.#options.redirectBlobs === true) {
      const url = new URL(`/storage/${digest}?signature=secret`, this.url);
      url.hostname = this.#options.storageHost ?? url.hostname;
      return redirect(url.href);
    }
    return bytes(content, { headers: this.#digestHeader(digest) });
  }

  #storedBytes(digest: string | undefined): Answer {
    for (const { blobs } of this.#repositories.values()) {
      const content = blobs.get(digest ?? '');
      if (content !== undefined) return bytes(content);
    }
    return status(404);
  }

  #digestHeader(digest: string): Record<string, string> {
    return this.#options.digestHeader === false ? {} : { 'docker-content-digest': digest };
  }

  #catalog(query: URLSearchParams): Answer {
    return this.#page(query, '/v2/_catalog', 'repositories', [...this.#repositories.keys()]);
  }

  #tags(repository: Repository, name: string, query: URLSearchParams): Answer {
    return this.#page(query, `/v2/${name}/tags/list`, 'tags', [...repository.tags.keys()], { name });
  }

  #page(query: URLSearchParams, path: string, key: string, names: readonly string[], head = {}): Answer {
    const last = query.get('last') ?? '';
    const limit = Math.min(Number(query.get('n') ?? Infinity), this.#options.pageSize ?? 100);
    const after = names.toSorted().filter((name) => name > last);
    const page = after.slice(0, limit);
    const link = `<${path}?n=${limit}&last=${encodeURIComponent(page.at(-1) ?? '')}>; rel="next"`;
    return json({ ...head, [key]: page }, page.length < after.length ? { headers: { link } } : {});
  }

  #referrers(repository: Repository, subject: Digest | undefined): Answer {
    if (this.#options.referrers === false) return status(404, { body: '404 page not found' });
    const manifests = [...repository.manifests.values()].flatMap(({ bytes, descriptor }) => {
      const document = JSON.parse(Buffer.from(bytes).toString()) as {
        subject?: Descriptor;
        artifactType?: string;
      };
      const { artifactType } = document;
      return document.subject?.digest === subject
        ? [{ ...descriptor, ...(artifactType !== undefined && { artifactType }) }]
        : [];
    });
    const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
    return json(index, { headers: { 'content-type': MediaType.ociIndex } });
  }
}

function sha512(content: Uint8Array): Digest {
  const digester = createDigester('sha512');
  digester.update(content);
  return digester.digest();
}

/** Parses each request only once: tests read a long log often. */
function parsed(hit: Hit | RegistryHit): RegistryHit {
  if ('kind' in hit) return hit;
  return Object.assign(hit, parseRegistryPath(hit.path), { isPart: asksForPart(hit) });
}

function asksForPart({ headers }: Incoming): boolean {
  return headers.range !== undefined;
}

function matches(filter: RequestFilter, request: RequestFilter): boolean {
  return Object.entries(filter).every(([key, value]) => request[key as keyof RequestFilter] === value);
}
