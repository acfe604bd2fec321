import type { BenchContext } from './bench.ts';
import type { Certificate } from './certificate.ts';
import { distribution } from './distribution.ts';
import { larder, type LarderOptions } from './larder.ts';
import type { Server } from './server.ts';
import { RegistryStorage } from './storage.ts';

/** The registry that all blobs are pulled from, and the caches before it; all end with the world. */
export class World implements AsyncDisposable {
  readonly context: BenchContext;
  readonly storage: RegistryStorage;
  readonly #stack = new AsyncDisposableStack();
  #upstream: Server | undefined;

  constructor(context: BenchContext) {
    this.context = context;
    this.storage = new RegistryStorage(context.directory.at('upstream'));
  }

  /** Returns Debian's docker-registry over the storage, which the first call starts. */
  async upstream(): Promise<Server> {
    this.#upstream ??= this.use(
      await distribution({
        name: 'distribution',
        directory: this.context.directory,
        storage: this.storage.directory,
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
      const merged = { directory: this.context.directory, upstream: upstream.url, ...options };
      servers.push(this.use(await larder(side, merged)));
    }
    return servers;
  }

  /** Starts the programs that Larder is compared with; none if only versions of Larder are compared. */
  async peers(...starts: readonly (() => Promise<Server>)[]): Promise<readonly Server[]> {
    const servers: Server[] = [];
    for (const start of this.context.hasPeers ? starts : []) servers.push(this.use(await start()));
    return servers;
  }

  /** Starts distribution as a pull-through cache. */
  async distributionProxy(tls?: Certificate): Promise<Server> {
    const proxyOf = (await this.upstream()).url;
    return distribution({ name: 'distribution proxy', directory: this.context.directory, proxyOf, tls });
  }

  use<T extends AsyncDisposable>(resource: T): T {
    return this.#stack.use(resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
