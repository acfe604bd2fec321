import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess, type RunningProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** nginx with a file in its http block, among what Debian's own nginx.conf has there. */
export interface NginxInFront extends AsyncDisposable {
  /** For certificates: the file may name what is in it. */
  readonly directory: string;
  readonly process: RunningProcess;
}

/** @param fileOf the file's text, told the folder that its certificates may be put into */
export async function nginxInFront(fileOf: (directory: string) => Promise<string>): Promise<NginxInFront> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await temporaryDirectory('nginx'));
  const temporaryFiles = join(directory, 'temporary');
  await mkdir(temporaryFiles);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = [
    'user root; worker_processes 2; daemon off;',
    `pid ${directory}/pid; error_log stderr warn;`,
    'events { worker_connections 768; }',
    'http {',
    ...kinds.map((kind) => `  ${kind}_temp_path ${temporaryFiles}/${kind};`),
    '  access_log off; default_type application/octet-stream;',
    // As bad as it may be there: with it, and without gzip_types, all text would come compressed.
    '  sendfile on; tcp_nopush on; gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0;',
    '  include larder.conf;',
    '}',
  ];
  await writeFile(join(directory, 'nginx.conf'), config.join('\n'));
  await writeFile(join(directory, 'larder.conf'), await fileOf(directory));
  const running = startProcess('nginx', [
    '-p',
    directory,
    '-c',
    join(directory, 'nginx.conf'),
    '-e',
    'stderr',
  ]);
  stack.use(running);
  const owned = stack.move();
  return {
    directory,
    process: running,
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
