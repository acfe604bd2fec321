import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/config.ts';
import type { CredentialSource } from '../../src/upstream/credentials/credentials.ts';
import { FailingDisk } from '../support/failing-store.ts';
import {
  startFakeRegistry,
  type FakeRegistry,
  type FakeRegistryOptions,
  type RequestFilter,
  type StoredImage,
} from '../support/fake-registry.ts';
import { LoopbackTraffic } from '../support/loopback-traffic.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { FaultyNetwork } from '../support/faulty-network.ts';
import { startMirror, type MirrorFixture } from '../support/mirror-fixture.ts';
import { Random } from '../support/random.ts';
import { stallAfter, type Fault, type Stall } from '../support/scripted-reply.ts';
import { startServer } from '../support/scripted-server.ts';
import { settled, type ClosedWorld } from '../support/settled.ts';
import { createCertificateAuthority, type CertificateAuthority } from '../support/tls.ts';

export const REGISTRY = 'registry.test';
export const STORAGE = 'storage.test';
const KiB = 1024;

/** The image's only layer, large enough to arrive in several chunks and to break in the middle. */
export const LAYER = new Random(1).bytes(1024 * KiB);

/** Offsets in the layer at which faults strike. */
export const EARLY = 256 * KiB;
export const HALF = 512 * KiB;
export const LATE = 768 * KiB;

/** The configuration without a configuration file: the times in the matrix come from its defaults. */
const DEFAULTS: Config = loadConfig('config.yaml', {
  env: {},
  cwd: '/',
  home: '/',
  readText: () => '',
  isProgram: () => false,
});
const { tags: TAGS, timeouts: TIMEOUTS, negativeTtlMs } = DEFAULTS;

export interface WorldOptions {
  readonly registry?: FakeRegistryOptions;
  readonly manifestMemoryBytes?: number;
  /** Whether Larder connects to upstream by https. */
  readonly isSecure?: boolean;
  /** Whether the layer is read by the reader for large bodies, and not by undici. */
  readonly isLarge?: boolean;
  /** The account that is configured for upstream. */
  readonly account?: { readonly username: string; readonly password: string };
}

type Parts = Pick<World, 'traffic' | 'registry' | 'mirror' | 'image' | 'network' | 'disk' | 'authority'>;

/** A registry with one image, a mirror of it with the default configuration, and the means to make either fail. */
export class World implements ClosedWorld, AsyncDisposable {
  readonly traffic: LoopbackTraffic;
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly image: StoredImage;
  readonly network: FaultyNetwork;
  readonly disk: FailingDisk;
  /** The certificate authority that the mirror trusts. */
  readonly authority: CertificateAuthority;
  readonly #stack: AsyncDisposableStack;
  readonly #ends: (() => void)[] = [];
  readonly #pauses: Stall[] = [];

  constructor(parts: Parts, stack: AsyncDisposableStack) {
    this.traffic = parts.traffic;
    this.registry = parts.registry;
    this.mirror = parts.mirror;
    this.image = parts.image;
    this.network = parts.network;
    this.disk = parts.disk;
    this.authority = parts.authority;
    this.#stack = stack;
  }

  get clock(): ManualClock {
    return this.mirror.clock;
  }

  /** Changes upstream's answers until `heal`. */
  fault(filter: RequestFilter & { times?: number }, ...verbs: readonly Fault[]): void {
    this.#ends.push(this.registry.fault(filter, ...verbs));
  }

  /**
   * Makes a fault that sends this many bytes of the body, and the rest after `release`. The test calls `release` once
   * Larder has read what was sent: a connection that breaks before loses an unknown number of these bytes.
   */
  pauseAfter(bytes: number): Stall {
    const pause = stallAfter(bytes);
    this.#pauses.push(pause);
    return pause;
  }

  /** Lets all paused answers continue. */
  release(): void {
    for (const pause of this.#pauses) pause.release();
  }

  /** Ends every fault. */
  async heal(): Promise<void> {
    for (const end of this.#ends) end();
    this.network.heal();
    this.disk.fault = {};
    await this.settled();
  }

  /** Resolves when nothing more will happen before the clock moves. */
  settled(): Promise<void> {
    return settled(this);
  }

  /** Returns a value that changes whenever something happens. */
  readonly activity = (): unknown => {
    const { requests } = this.registry;
    const sent = requests.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
    return [requests.length, sent, this.clock.set, this.mirror.events.length].join();
  };

  /** The requests that upstream got, and the failed attempts to reach it. */
  get asked(): readonly string[] {
    const came = this.registry.requests.map(
      ({ method, path, status = 0 }) => `${method} ${path} → ${status}`,
    );
    return [...came, ...this.network.lost.map((fault) => `(${fault})`)];
  }

  get requests(): number {
    return this.asked.length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  /** Lets another server answer by https in upstream's place. @param name in its certificate, issued by `authority` */
  async impersonate(name: string, authority: CertificateAuthority): Promise<void> {
    const tls = authority.issue([name]);
    const { port } = this.#stack.use(await startServer(() => Promise.reject(new Error('asked')), { tls }));
    this.network.fail({ port });
  }
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const traffic = stack.use(new LoopbackTraffic());
  const authority = createCertificateAuthority();
  const registry = stack.use(await startFakeRegistry({ ...registryOptions(options, authority) }));
  const image = registry.putImage('acme/app', 'latest', { layers: [LAYER] });
  const network = new FaultyNetwork();
  for (const host of [REGISTRY, STORAGE]) network.names.name(host, '8.8.8.8');
  const disk = new FailingDisk();
  const { manifestMemoryBytes = MEMORY } = options;
  const client = {
    timeouts: TIMEOUTS,
    ...(options.isSecure === true && { ca: authority.certificate }),
    credentials: options.account && passwordSource(options.account),
  };
  const tags = { ...TAGS, isImmutable: () => false };
  const mirror = stack.use(
    await startMirror({
      upstreams: [{ name: REGISTRY, registry, client, network, tags, isLarge: options.isLarge ?? false }],
      negativeTtlMs,
      manifestMemoryBytes,
      wrapStore: (store) => disk.wrap(store),
    }),
  );
  return new World({ traffic, registry, mirror, image, network, disk, authority }, stack.move());
}

function passwordSource(account: NonNullable<WorldOptions['account']>): CredentialSource {
  return { get: () => Promise.resolve({ kind: 'password', ...account }), invalidate() {} };
}

const MEMORY = 1024 * KiB;

function registryOptions(
  { registry = {}, isSecure = false }: WorldOptions,
  authority: CertificateAuthority,
): FakeRegistryOptions {
  const named = { host: REGISTRY, ...registry };
  return isSecure ? { ...named, tls: authority.issue([REGISTRY]) } : named;
}
