import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/e2e/port.ts';
import type { Directory } from './directory.ts';
import { start } from './process.ts';
import { answering, type Server } from './server.ts';
import { RegistryStorage } from './storage.ts';

/** Starts nginx as a server of files: a registry's blobs by sendfile, at the registry's own paths. */
export async function nginxOfFiles(name: string, directory: Directory, storage: string): Promise<Server> {
  return nginx(name, directory, () => [
    'location ~ "^/v2/.+/blobs/sha256:(..)(.+)$" {',
    `  alias ${join(storage, RegistryStorage.fileOf('$1', '$1$2'))};`,
    '}',
  ]);
}

/** Starts nginx as a cache before an upstream. A client of a blob that is being fetched waits until it is whole. */
export async function nginxCache(name: string, directory: Directory, upstream: string): Promise<Server> {
  const { host } = new URL(upstream);
  return nginx(
    name,
    directory,
    () => [
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
    (place) => [
      `upstream upstream { server ${host}; keepalive 64; }`,
      `proxy_cache_path ${place}/cache keys_zone=content:10m max_size=50g inactive=1h use_temp_path=off;`,
    ],
  );
}

type Lines = (place: string) => readonly string[];

async function nginx(
  name: string,
  directory: Directory,
  locations: Lines,
  beside: Lines = () => [],
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
    `  server { listen 127.0.0.1:${port} backlog=4096;`,
    '    location = /ready { return 200; }',
    ...locations(place),
    '  }',
    '}',
  ];
  await writeFile(configFile, lines.join('\n'));
  const running = await start('nginx', ['-e', 'stderr', '-p', place, '-c', configFile], {
    logFile: join(place, 'log'),
  });
  return answering({ name, url: `http://127.0.0.1:${port}` }, running, '/ready');
}
