import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess, type RunningProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** nginx with a file in its http block, among the settings of Debian's own nginx.conf. */
export interface NginxInFront extends AsyncDisposable {
  /** The folder for certificates, whose paths the file may name. */
  readonly directory: string;
  readonly process: RunningProcess;
}

/** Starts nginx. @param fileOf returns the file's text, and may put certificates into the folder */
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
    // The worst settings that may be there: with them, nginx would compress all text.
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
