import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Digest } from '../../src/oci/digest.ts';
import { larder, larderCommand, type Larder } from './e2e/larder.ts';
import { temporaryDirectory } from './e2e/temporary.ts';
import type { Exit } from './e2e/process.ts';
import { startFakeRegistry, type FakeRegistry } from './fake-registry.ts';

/** The program as real processes, a server and commands, on one cache directory, with a registry of the test's. */
export interface LarderWorld extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly cacheDirectory: string;
  /** Starts a server, and waits until it serves. */
  serve(): Promise<Larder>;
  /** Runs a command on the cache to its end. */
  run(...args: readonly string[]): Promise<Exit>;
  pathOf(digest: Digest): string;
  /** Lists files in the cache directory by the beginning of their names. */
  files(prefix: string): Promise<readonly string[]>;
}

/** The registry's name in images; it is the default upstream, too. */
export const REGISTRY = 'registry.test:5000';

/** Makes a world. @param config settings beyond the cache directory and the upstream */
export async function larderWorld(
  config: Readonly<Record<string, unknown>> = {},
  credentials?: object,
): Promise<LarderWorld> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const directory = stack.use(await temporaryDirectory('world'));
  const cacheDirectory = join(directory.path, 'cache');
  const upstream = { url: registry.url.href.replace(/\/$/, ''), ...(credentials && { credentials }) };
  const shared = { upstreams: { [REGISTRY]: upstream }, ...config };
  const configFile = join(directory.path, 'config.yaml');
  const cache = { ...(config['cache'] as object | undefined), directory: cacheDirectory };
  await writeFile(configFile, stringify({ defaultUpstream: REGISTRY, ...shared, cache }));
  const owned = stack.move();
  return {
    registry,
    cacheDirectory,
    serve: async () => larder(shared, { cacheDirectory }),
    run: async (...args) => larderCommand([...args, '--config', configFile]),
    pathOf: (digest) => join(cacheDirectory, 'blobs', ...digest.split(':')),
    files: async (prefix) => (await readdir(cacheDirectory)).filter((name) => name.startsWith(prefix)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
