import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from './http-client.ts';
import { freePort } from './port.ts';
import { run, startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';
import { until } from './until.ts';

/** nginx before a registry, which passes requests on or answers in its place. */
export interface Front extends AsyncDisposable {
  readonly url: string;
  /** Changes its behaviour. @param trouble nginx directives, for all paths or those below `path`; undefined: none */
  become(trouble: Trouble | undefined): Promise<void>;
}

export interface Trouble {
  /** The beginning of the paths. Absent: every path. */
  readonly path?: string;
  readonly directives: string;
  /** The status by which the test sees that nginx has read the new configuration. */
  readonly status: number;
}

/** Starts it. @param tokens the token server for `/token`, whose realm the front names as its own */
export async function front(
  registry: string,
  tokens?: { readonly url: string; readonly service: string },
): Promise<Front> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('front'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = join(directory.path, 'nginx.conf');
  const write = (trouble: Trouble | undefined): Promise<void> =>
    writeFile(file, config({ directory: directory.path, port, registry, tokens, trouble }));
  await write(undefined);
  const nginx = ['-c', file, '-p', directory.path, '-e', join(directory.path, 'error.log')];
  stack.use(startProcess('nginx', [...nginx, '-g', 'daemon off;']));
  const answers = (path: string, status: (code: number) => boolean): Promise<unknown> =>
    until(`nginx answers as it is told`, async () => {
      const answer = await ask(`${url}${path}`).catch(() => undefined);
      return answer !== undefined && status(answer.status) ? true : undefined;
    });
  await answers('/v2/', (code) => code < 500);
  const owned = stack.move();
  let last: Trouble | undefined;
  return {
    url,
    async become(trouble) {
      const path = trouble?.path ?? last?.path ?? '/v2/';
      const old = last?.status;
      last = trouble;
      await write(trouble);
      await run('nginx', [...nginx, '-s', 'reload']);
      await answers(path, (code) => (trouble === undefined ? code !== old : code === trouble.status));
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

interface Parts {
  readonly directory: string;
  readonly port: number;
  readonly registry: string;
  readonly tokens: { readonly url: string; readonly service: string } | undefined;
  readonly trouble: Trouble | undefined;
}

function config({ directory, port, registry, tokens, trouble }: Parts): string {
  const realm = `Bearer realm=\\"http://127.0.0.1:${port}/token\\",service=\\"${tokens?.service}\\"`;
  const own = tokens && `proxy_hide_header WWW-Authenticate; add_header WWW-Authenticate "${realm}" always;`;
  const locations: Record<string, string> = {
    '/': `proxy_pass ${registry}; ${own ?? ''}`,
    ...(tokens !== undefined && { '/token': `proxy_pass ${tokens.url};` }),
    ...(trouble !== undefined && { [trouble.path ?? '/']: trouble.directives }),
    ...(trouble !== undefined &&
      trouble.path === undefined &&
      tokens !== undefined && { '/token': trouble.directives }),
  };
  return [
    'user root; worker_processes 1;',
    `pid ${directory}/pid;`,
    'events { worker_connections 256; }',
    'http {',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `  ${kind}_temp_path ${directory}/${kind};`,
    ),
    '  access_log off; default_type text/plain; proxy_buffering off;',
    `  server { listen 127.0.0.1:${port}; proxy_set_header Host $http_host;`,
    ...Object.entries(locations).map(([path, directives]) => `    location ${path} { ${directives} }`),
    '  }',
    '}',
  ].join('\n');
}
