import { digestOf } from '../../../src/oci/digest.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { disagree, ELSEWHERE, type AnswerTable } from '../../support/disagreeing-registry.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import type { ReceivedAnswer, RequestOptions } from '../../support/http-get.ts';
import { LoopbackTraffic } from '../../support/loopback-traffic.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import { MINUTE, startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { drive, settled, type ClosedWorld } from '../../support/settled.ts';

const REGISTRY = 'registry.test';

/** A time longer than every time to live, and longer than Larder holds back any question. */
const LONG = 20 * MINUTE;
const TTL = 5 * MINUTE;

/** A registry, and a mirror of it; each scene has a repository of its own. */
export class Stage implements ClosedWorld, AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly traffic: LoopbackTraffic;
  readonly #stack: AsyncDisposableStack;
  #scenes = 0;

  constructor(parts: Pick<Stage, 'registry' | 'mirror' | 'traffic'>, stack: AsyncDisposableStack) {
    this.registry = parts.registry;
    this.mirror = parts.mirror;
    this.traffic = parts.traffic;
    this.#stack = stack;
  }

  get clock(): ManualClock {
    return this.mirror.clock;
  }

  readonly activity = (): unknown => [this.clock.set, this.mirror.events.length].join();

  scene(): Scene {
    this.#scenes += 1;
    return new Scene(this, this.#scenes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Starts a stage. `isOpen`: whether the configuration treats all clients alike. */
export async function startStage({ isOpen = false }: { isOpen?: boolean } = {}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const traffic = stack.use(new LoopbackTraffic());
  const registry = stack.use(
    await startFakeRegistry({ host: REGISTRY, auth: { kind: 'bearer', expiresIn: 60 } }),
  );
  const network = new FakeNetwork().name(REGISTRY, '8.8.8.8').name(ELSEWHERE, '8.8.4.4');
  const mirror = stack.use(await startMirror({ upstreams: [{ name: REGISTRY, registry, network, isOpen }] }));
  return new Stage({ registry, mirror, traffic }, stack.move());
}

/** A repository with a tagged image, its signature, and another image. A third image gets the tag later. */
export class Scene {
  readonly repository: string;
  readonly layer: Buffer;
  readonly asked: StoredImage;
  readonly other: StoredImage;
  readonly #stage: Stage;
  readonly #name: string;
  readonly #signature: Descriptor;
  #newest: StoredImage | undefined;
  #askedBefore = 0;

  constructor(stage: Stage, number: number) {
    this.#stage = stage;
    this.#name = `${number}`;
    this.repository = `acme/app-${number}`;
    this.layer = Buffer.from(`layer ${number}, `.repeat(100));
    const { registry } = stage;
    this.other = this.#put('other');
    this.asked = registry.putImage(this.repository, 'latest', { layers: [this.layer] });
    const subject = {
      mediaType: this.asked.mediaType,
      digest: this.asked.digest,
      size: this.asked.bytes.length,
    };
    const signature = { subject, artifactType: 'application/x-signature' };
    this.#signature = registry.putImage(this.repository, undefined, signature).descriptor;
  }

  get tagPath(): string {
    return `/v2/${this.repository}/manifests/latest`;
  }

  get digestPath(): string {
    return `/v2/${this.repository}/manifests/${this.asked.digest}`;
  }

  get blobPath(): string {
    return `/v2/${this.repository}/blobs/${digestOf(this.layer)}`;
  }

  get tagsPath(): string {
    return `/v2/${this.repository}/tags/list`;
  }

  get referrersPath(): string {
    return `/v2/${this.repository}/referrers/${this.asked.digest}`;
  }

  /** Sends a request and waits for all of the answer. */
  ask(path: string, asked?: RequestOptions): Promise<ReceivedAnswer> {
    return this.#stage.mirror.get(path, asked);
  }

  /** Does the same, and moves the clock if need be: Larder resumes a broken transfer only after a while. */
  async askPatiently(path: string, asked?: RequestOptions): Promise<ReceivedAnswer> {
    return (await drive(this.#stage, this.ask(path, asked))).value;
  }

  /** Lets the time to live of tags and of tokens pass. */
  expire(): void {
    this.#stage.clock.advance(TTL);
  }

  /** Lets time pass until Larder remembers no answer any more. */
  waitLong(): void {
    this.#stage.clock.advance(LONG);
  }

  /** Lets a long time pass and gets one answer from upstream, so that earlier failures no longer count. */
  async end(): Promise<void> {
    this.waitLong();
    await this.ask(this.tagsPath);
  }

  settled(): Promise<void> {
    return settled(this.#stage);
  }

  /** Runs `ask` while the registry does not have the content, so that the registry itself refuses it. */
  async refusing(ask: () => Promise<unknown>): Promise<void> {
    const { registry } = this.#stage;
    registry.deleteTag(this.repository, 'latest');
    registry.deleteDigest(this.repository, this.asked.digest);
    registry.deleteDigest(this.repository, digestOf(this.layer));
    await ask();
    registry.putImage(this.repository, 'latest', { layers: [this.layer] });
  }

  /** Gets the bytes of the layer into the cache through another repository. */
  async haveElsewhere(): Promise<void> {
    const { registry } = this.#stage;
    const repository = `acme/base-${this.#name}`;
    registry.putBlob(repository, this.layer);
    await this.ask(`/v2/${repository}/blobs/${digestOf(this.layer)}`);
  }

  /** Makes the registry disagree with itself. @returns a function that ends this */
  disagree(table: AnswerTable): () => void {
    this.#askedBefore = this.#stage.registry.requests.length;
    return disagree(this.#stage.registry, this, table);
  }

  /** Moves the tag to the newest image. */
  push(): void {
    this.#newest = this.#put('newest', 'latest');
  }

  /** The requests to the registry since it began to disagree. */
  get requests(): readonly string[] {
    const { requests } = this.#stage.registry;
    return requests
      .slice(this.#askedBefore)
      .map(({ method, path, headers, status = 0 }) => `${method} ${path} ${headers.range ?? ''} → ${status}`);
  }

  /** Returns what the client got, in the words of `Got`. */
  told(path: string, { status, headers, body, complete }: ReceivedAnswer, isHead: boolean): string {
    const isRemembered = headers['cache-status']?.includes('larder; hit') === true;
    if (status >= 500) return 'failed';
    if (status >= 400) return isRemembered ? `${status}, remembered` : `${status}`;
    if (!complete) return 'cut';
    const content = isHead ? this.#named(path, headers) : this.#content(path, body);
    return headers.warning === undefined ? content : `${content}, stale`;
  }

  #content(path: string, body: Buffer): string {
    if (path === this.blobPath) return body.equals(this.layer) ? 'asked' : 'wrong';
    if (path === this.tagsPath) return body.includes('"latest"') ? 'asked' : 'wrong';
    if (path !== this.referrersPath) return this.#version(digestOf(body));
    const { manifests } = JSON.parse(body.toString()) as { manifests: { digest: string }[] };
    if (manifests.length === 0) return 'empty';
    return manifests[0]?.digest === this.#signature.digest ? 'asked' : 'wrong';
  }

  #named(path: string, headers: ReceivedAnswer['headers']): string {
    if (path !== this.blobPath) return this.#version(headers['docker-content-digest']?.toString());
    return headers['content-length'] === `${this.layer.length}` ? 'asked' : 'wrong';
  }

  #version(digest: string | undefined): string {
    if (digest === this.asked.digest) return 'asked';
    if (digest === this.other.digest) return 'other';
    if (digest === this.#newest?.digest) return 'newest';
    return digest === `sha256:${'0'.repeat(64)}` ? 'nowhere' : 'wrong';
  }

  #put(what: string, tag?: string): StoredImage {
    return this.#stage.registry.putImage(this.repository, tag, {
      layers: [Buffer.from(`${what} of ${this.#name}`)],
    });
  }
}
