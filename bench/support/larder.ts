import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../test/support/e2e/port.ts';
import type { Side } from './bench.ts';
import type { Certificate } from './certificate.ts';
import type { Directory } from './directory.ts';
import { start, type Running } from './process.ts';
import { answering, type Server } from './server.ts';

/** The upstream's name in Larder's config and index. */
export const UPSTREAM_NAME = 'registry.example.test';

export interface LarderOptions {
  /** The address of the upstream, which is the default one. */
  readonly upstream: string;
  /** The PEM file of the authority that the upstream's certificate is checked with. */
  readonly upstreamCa?: string | undefined;
  /** The directory for its config, its log, and its cache unless another is given. */
  readonly directory: Directory;
  readonly cacheDirectory?: string;
  /** Further settings of the config file's section `cache`. */
  readonly cache?: Readonly<Record<string, unknown>>;
  /** How it sends blobs. Absent: Larder's own choice. */
  readonly delivery?: 'read';
  /** Absent: it speaks http. */
  readonly tls?: Certificate;
  /** The section `access` of the config file. Absent: all is open. */
  readonly access?: Readonly<Record<string, unknown>>;
}

/** Starts Larder with its defaults: only the settings for one machine are changed, and it logs as it always does. */
export async function larder(side: Side, options: LarderOptions): Promise<Server> {
  const { url, running } = await startLarder(side, options);
  return answering({ name: side.name, url, ca: options.tls?.ca }, running, '/readyz');
}

/** Larder whose process has just begun, long before it answers. */
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
    ...(options.tls !== undefined && { tls: { cert: options.tls.cert, key: options.tls.key } }),
    ...(options.access !== undefined && { access: options.access }),
    defaultUpstream: UPSTREAM_NAME,
    upstreams: {
      [UPSTREAM_NAME]: {
        url: options.upstream,
        ...(options.upstreamCa !== undefined && { ca: options.upstreamCa }),
      },
    },
  };
  await writeFile(configFile, stringify(config));
  const running = await start(process.execPath, [...side.nodeArgs, 'serve', '--config', configFile], {
    logFile: join(place, 'log'),
  });
  return { url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, running };
}
