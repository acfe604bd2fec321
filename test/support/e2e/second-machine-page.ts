import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createCertificateAuthority } from '../tls.ts';
import { changed, documented } from './documented.ts';
import { larder, type Config, type Larder } from './larder.ts';
import { nginxInFront, type NginxInFront } from './nginx-in-front.ts';
import { freePort } from './port.ts';
import { attempt } from './process.ts';
import { until } from './until.ts';

/** The page about clients on other machines. */
export const PAGE = 'docs/second-machine.md';
/** The mirror's name on that page. */
export const NAME = 'mirror.example';

/**
 * Starts Larder with the page's configuration, at another port.
 * @param access the section of this name, in place of the page's
 */
export async function larderOfPage(heading: string, upstreams: Config, access?: Config): Promise<Larder> {
  const port = String(await freePort());
  const config = parse(changed(documented(PAGE, heading).text, { '5000': port })) as Config;
  return larder({ ...config, upstreams, ...(access && { access }) }, { host: `127.0.0.1:${port}` });
}

/** The nginx that the page puts in front of Larder. */
export interface NginxOfPage extends AsyncDisposable {
  /** `mirror.example:PORT`. */
  readonly host: string;
  readonly port: number;
  /** PEM of the authority that issued its certificate, and a file with it. */
  readonly authority: string;
  readonly authorityFile: string;
  /** Its address for programs that cannot be told where the name leads; the certificate is for this one too. */
  readonly localHost: string;
  readonly nginx: NginxInFront;
}

/** Starts nginx with the page's file, at another port and with a certificate of the test's own authority. */
export async function nginxOfPage(mirror: Larder): Promise<NginxOfPage> {
  await using stack = new AsyncDisposableStack();
  const authority = createCertificateAuthority();
  const port = await freePort();
  const inFront = nginxInFront(async (directory) => {
    const { key, cert } = authority.issue([NAME, 'localhost']);
    await writeFile(join(directory, `${NAME}.key`), key);
    await writeFile(join(directory, `${NAME}.crt`), cert);
    await writeFile(join(directory, 'ca.crt'), authority.certificate);
    return changed(documented(PAGE, 'nginx').text, {
      '127.0.0.1:5000': mirror.host,
      'listen 443': `listen ${port}`,
      '/etc/nginx/tls': directory,
    });
  });
  const nginx = stack.use(await inFront);
  const authorityFile = join(nginx.directory, 'ca.crt');
  const known = ['--cacert', authorityFile, '--resolve', `${NAME}:${port}:127.0.0.1`];
  await until('nginx serves', async () => {
    if (nginx.process.hasExited()) return 'ended';
    const exit = await attempt('curl', ['--fail', ...known, `https://${NAME}:${port}/readyz`]);
    return exit.code === 0 ? 'serves' : undefined;
  });
  if (nginx.process.hasExited()) throw new Error((await nginx.process.exited).stderr);
  const owned = stack.move();
  return {
    host: `${NAME}:${port}`,
    port,
    authority: authority.certificate,
    authorityFile,
    localHost: `localhost:${port}`,
    nginx,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
