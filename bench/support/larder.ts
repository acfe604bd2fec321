import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../test/support/e2e/port.ts';
import type { Side } from './bench.ts';
import type { Directory } from './directory.ts';
import { start, type Running } from './process.ts';
import { answering, type Server } from './server.ts';

/** What the upstream is called in Larder's config and index. */
export const UPSTREAM_NAME = 'registry.example.test';

export interface LarderOptions {
  /** The upstream's address, which paths without a registry's name go to. */
  readonly upstream: string;
  /** Holds its config, its log, and its cache unless another is given. */
  readonly directory: Directory;
  readonly cacheDirectory?: string;
  /** What else the config file says of the cache. */
  readonly cache?: Readonly<Record<string, unknown>>;
  /** How it sends blobs, where that is not its own choice. */
  readonly delivery?: 'read';
}

/** Larder as it comes: only what a run on one machine needs is configured, and it logs as it always does. */
export async function larder(side: Side, options: LarderOptions): Promise<Server> {
  const { url, running } = await startLarder(side, options);
  return answering({ name: side.name, url }, running, '/readyz');
}

/** Larder when its process has begun, long before it answers. */
export interface StartingLarder {
  readonly url: string;
  readonly running: Running;
}

export async function startLarder(side: Side, options: LarderOptions): Promise<StartingLarder> {
  const port = await freePort();
  const place = await options.directory.folder(`larder-${port}`);
  const configFile = join(place, 'config.yaml');
  const config = {
    listen: `127.0.0.1:${port}`,
    cache: { directory: options.cacheDirectory ?? join(place, 'cache'), ...options.cache },
    ...(options.delivery !== undefined && { delivery: options.delivery }),
    defaultUpstream: UPSTREAM_NAME,
    upstreams: { [UPSTREAM_NAME]: { url: options.upstream } },
  };
  await writeFile(configFile, stringify(config));
  const running = await start(process.execPath, [...side.nodeArgs, 'serve', '--config', configFile], {
    logFile: join(place, 'log'),
  });
  return { url: `http://127.0.0.1:${port}`, running };
}
