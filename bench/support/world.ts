import type { BenchContext } from './bench.ts';
import type { Certificate } from './certificate.ts';
import type { Directory } from './directory.ts';
import { DISTRIBUTION_3, distribution3Unable } from './distribution-3.ts';
import { distribution } from './distribution.ts';
import { larder, type LarderOptions } from './larder.ts';
import { limit, limitUnable, type LimitOptions } from './limit.ts';
import type { Server } from './server.ts';
import { RegistryStorage } from './storage.ts';

/** The registry that all blobs are pulled from, and the caches before it; all end with the world. */
export class World implements AsyncDisposable {
  readonly context: BenchContext;
  readonly storage: RegistryStorage;
  readonly #tls: Certificate | undefined;
  readonly #stack = new AsyncDisposableStack();
  #upstream: Server | undefined;

  /** @param tls the certificate of the upstream; absent: it speaks http */
  constructor(context: BenchContext, tls?: Certificate) {
    this.context = context;
    this.#tls = tls;
    this.storage = new RegistryStorage(context.directory.at('upstream'));
  }

  /** Returns Debian's docker-registry over the storage, which the first call starts. */
  async upstream(): Promise<Server> {
    this.#upstream ??= this.use(
      await distribution({
        name: 'distribution',
        directory: this.context.directory,
        storage: this.storage.directory,
        tls: this.#tls,
      }),
    );
    return this.#upstream;
  }

  /** Starts another docker-registry over the storage, which speaks https. */
  async distributionByTls(tls: Certificate): Promise<Server> {
    const { directory } = this.context;
    return distribution({ name: 'distribution', directory, storage: this.storage.directory, tls });
  }

  /** Starts each version of Larder that is measured. */
  async larders(options: Partial<LarderOptions> = {}): Promise<readonly Server[]> {
    const upstream = await this.upstream();
    const servers: Server[] = [];
    for (const side of this.context.sides) {
      const ofUpstream = { upstream: upstream.url, upstreamCa: this.#tls?.caFile };
      const merged = { directory: this.context.directory, ...ofUpstream, ...options };
      servers.push(this.use(await larder(side, merged)));
    }
    return servers;
  }

  /**
   * Starts the programs that Larder is compared with; none if only versions of Larder are compared.
   * @param starts return undefined where this machine has not got the program
   */
  async peers(...starts: readonly (() => Promise<Server | undefined>)[]): Promise<readonly Server[]> {
    const servers: Server[] = [];
    for (const start of this.context.hasPeers ? starts : []) {
      const server = await start();
      if (server !== undefined) servers.push(this.use(server));
    }
    return servers;
  }

  /** Starts distribution as a pull-through cache. */
  async distributionProxy(tls?: Certificate): Promise<Server> {
    return distribution({ ...(await this.#proxying()), name: 'distribution proxy', tls });
  }

  /** Starts distribution 3 as a pull-through cache, unless it cannot be had here. */
  async distribution3Proxy(): Promise<Server | undefined> {
    const name = 'distribution 3 proxy';
    if (this.#isUnable(name, await this.#distribution3Unable())) return undefined;
    return distribution({ ...(await this.#proxying()), name, program: DISTRIBUTION_3 });
  }

  /** Starts distribution 3 as a registry over the storage, unless it cannot be had here. */
  async distribution3(): Promise<Server | undefined> {
    const name = 'distribution 3';
    if (this.#isUnable(name, await this.#distribution3Unable())) return undefined;
    const { directory } = this.context;
    return distribution({ name, directory, storage: this.storage.directory, program: DISTRIBUTION_3 });
  }

  /** Starts the least that a mirror of blobs has to do, unless it cannot be compiled here. */
  async limit(options: Partial<Pick<LimitOptions, 'upstream' | 'syncs'>> = {}): Promise<Server | undefined> {
    const { upstream = await this.upstream(), syncs = false } = options;
    const name = syncs ? 'limit with fsync' : 'limit';
    if (this.#isUnable(name, await limitUnable())) return undefined;
    return limit({ name, directory: this.context.directory, upstream, caFile: this.#tls?.caFile, syncs });
  }

  use<T extends AsyncDisposable>(resource: T): T {
    return this.#stack.use(resource);
  }

  async #proxying(): Promise<{ directory: Directory; proxyOf: string; caFile: string | undefined }> {
    const { url } = await this.upstream();
    return { directory: this.context.directory, proxyOf: url, caFile: this.#tls?.caFile };
  }

  async #distribution3Unable(): Promise<string | undefined> {
    return distribution3Unable(this.context.scale !== 'smoke');
  }

  #isUnable(name: string, reason: string | undefined): boolean {
    if (reason !== undefined) this.context.note(`${name}: skipped, ${reason}`);
    return reason !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
