import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/e2e/port.ts';
import type { Certificate } from './certificate.ts';
import type { Directory } from './directory.ts';
import { start } from './process.ts';
import { answering, type Server } from './server.ts';
import { RegistryStorage } from './storage.ts';

/** How an nginx serves its clients. */
export interface Serving {
  /** Absent: it speaks http. */
  readonly tls?: Certificate | undefined;
  /** How fast each answer leaves. Absent: as fast as it can. */
  readonly bytesPerSecond?: number;
  /** Whether each answer ends its connection, so that each request needs a new one. */
  readonly closes?: boolean;
}

/** Starts nginx as a server of files: a registry's blobs by sendfile, at the registry's own paths. */
export async function nginxOfFiles(
  name: string,
  directory: Directory,
  storage: string,
  serving: Serving = {},
): Promise<Server> {
  const locations = (): readonly string[] => [
    'location ~ "^/v2/.+/blobs/sha256:(..)(.+)$" {',
    `  alias ${join(storage, RegistryStorage.fileOf('$1', '$1$2'))};`,
    '}',
  ];
  return nginx(name, directory, { locations, serving });
}

/** Starts nginx before an upstream, without a cache. */
export async function nginxBefore(
  name: string,
  directory: Directory,
  upstream: string,
  serving: Serving,
): Promise<Server> {
  const locations = (): readonly string[] => [
    'location /v2/ {',
    `  proxy_pass ${upstream};`,
    '  proxy_buffering off;',
    '}',
  ];
  return nginx(name, directory, { locations, serving });
}

/** Starts nginx as a cache before an upstream. A client of a blob that is being fetched waits until it is whole. */
export async function nginxCache(name: string, directory: Directory, upstream: string): Promise<Server> {
  const { host } = new URL(upstream);
  return nginx(name, directory, {
    locations: () => [
      'location /v2/ {',
      '  proxy_pass http://upstream;',
      `  proxy_set_header Host ${host};`,
      '  proxy_http_version 1.1;',
      '  proxy_set_header Connection "";',
      '  proxy_cache content;',
      '  proxy_cache_valid 200 1h;',
      '  proxy_cache_lock on;',
      '  proxy_cache_lock_timeout 1h;',
      '  proxy_cache_lock_age 1h;',
      '}',
    ],
    beside: (place) => [
      `upstream upstream { server ${host}; keepalive 64; }`,
      `proxy_cache_path ${place}/cache keys_zone=content:10m max_size=50g inactive=1h use_temp_path=off;`,
    ],
  });
}

type Lines = (place: string) => readonly string[];

interface Content {
  /** What is in the server's own block, and what is beside it. */
  readonly locations: Lines;
  readonly beside?: Lines;
  readonly serving?: Serving;
}

async function nginx(
  name: string,
  directory: Directory,
  { locations, beside = () => [], serving = {} }: Content,
): Promise<Server> {
  const port = await freePort();
  const place = await directory.folder(`nginx-${port}`);
  const configFile = join(place, 'nginx.conf');
  const lines = [
    'daemon off;',
    // If root starts nginx, its workers would run as another user, who may not read the temporary directory.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'worker_processes auto;',
    'worker_rlimit_nofile 8192;',
    `pid ${place}/pid;`,
    'error_log stderr error;',
    'events { worker_connections 4096; }',
    'http {',
    '  access_log off;',
    '  sendfile on;',
    '  tcp_nopush on;',
    '  keepalive_requests 1000000000;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((use) => `${use}_temp_path ${place}/${use};`),
    ...beside(place),
    `  server { listen 127.0.0.1:${port} ${serving.tls === undefined ? '' : 'ssl '}backlog=4096;`,
    ...servingLines(serving),
    '    location = /ready { return 200; }',
    ...locations(place),
    '  }',
    '}',
  ];
  await writeFile(configFile, lines.join('\n'));
  const running = await start('nginx', ['-e', 'stderr', '-p', place, '-c', configFile], {
    logFile: join(place, 'log'),
  });
  const url = `${serving.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return answering({ name, url, ca: serving.tls?.ca }, running, '/ready');
}

function servingLines({ tls, bytesPerSecond, closes }: Serving): readonly string[] {
  return [
    ...(tls === undefined ? [] : [`    ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`]),
    ...(bytesPerSecond === undefined ? [] : [`    limit_rate ${bytesPerSecond};`]),
    ...(closes ? ['    keepalive_timeout 0;'] : []),
  ];
}
