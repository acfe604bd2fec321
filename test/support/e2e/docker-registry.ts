import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { countingProxy, type CountingProxy } from './counting-proxy.ts';
import { ask } from './http-client.ts';
import { freePort } from './port.ts';
import { run, startProcess, type RunningProcess } from './process.ts';
import { PASSWORDS } from './secrets.ts';
import { temporaryDirectory } from './temporary.ts';
import { tokenServer, type Account, type TokenServer } from './token-server.ts';
import { until } from './until.ts';

export type RegistryAuth = 'open' | 'htpasswd' | 'token';

/** Debian's docker-registry (distribution 2.8), with a counting proxy before it. */
export interface DockerRegistry extends AsyncDisposable {
  /** The address for clients and Larder, through the counting proxy. */
  readonly url: string;
  /** The same server without the proxy: for pushes, which must not be counted. */
  readonly directUrl: string;
  /** `host:port` of `directUrl`. */
  readonly directHost: string;
  readonly proxy: CountingProxy;
  /** Its storage directory. */
  readonly storage: string;
  /** The account of a registry with authentication; undefined if the registry is open. */
  readonly account: Account | undefined;
  /** The token server, if the registry has one. */
  readonly tokens: TokenServer | undefined;
}

export interface RegistryOptions {
  readonly auth?: RegistryAuth;
  /** A storage directory to begin with; it is never changed. */
  readonly stock?: string;
  /** Whether it accepts manifests whose layers have URLs, without having the layers. */
  readonly takesUrls?: boolean;
}

const ACCOUNT: Account = { username: 'mirror', password: PASSWORDS.registry };
/** bcrypt of ACCOUNT's password, the only scheme that distribution accepts (htpasswd -B -C 5). */
const HTPASSWD = `${ACCOUNT.username}:$2y$05$w5SdEyl45biy346N8LDsT.mnQYhl2UoN.9yqjWX6LCAZu7Ll76uxC\n`;

export async function dockerRegistry(options: RegistryOptions = {}): Promise<DockerRegistry> {
  await using stack = new AsyncDisposableStack();
  const auth = options.auth ?? 'open';
  const directory = stack.use(await temporaryDirectory(`registry-${auth}`));
  const storage = await storageDirectory(directory.path, options.stock);
  const port = await freePort();
  const tokens =
    auth === 'token'
      ? stack.use(await tokenServer({ directory: directory.path, account: ACCOUNT }))
      : undefined;
  const directUrl = `http://127.0.0.1:${port}`;
  const routes = tokens === undefined ? {} : { '/token': tokens.url };
  const proxy = stack.use(await countingProxy(directUrl, routes));
  const configFile = join(directory.path, 'config.yml');
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, relativeurls: true },
    ...(await authConfig(auth, { directory: directory.path, proxy, tokens })),
    ...(options.takesUrls === true && { validation: { manifests: { urls: { allow: ['.*'] } } } }),
  };
  await writeFile(configFile, stringify(config));
  await answering(directUrl, stack.use(startProcess('docker-registry', ['serve', configFile])));
  const owned = stack.move();
  return {
    url: proxy.url,
    directUrl,
    directHost: `127.0.0.1:${port}`,
    proxy,
    storage,
    account: auth === 'open' ? undefined : ACCOUNT,
    tokens,
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

async function answering(url: string, server: RunningProcess): Promise<void> {
  await until('docker-registry answers', async () =>
    server.hasExited() ? 'ended' : String((await ask(`${url}/v2/`)).status),
  );
  if (server.hasExited()) throw new Error((await server.exited).stderr);
}

/** Makes a storage directory from the stock. Links only blobs: the registry never overwrites them, but it does tags. */
async function storageDirectory(directory: string, stock: string | undefined): Promise<string> {
  const storage = join(directory, 'storage');
  const inside = 'docker/registry/v2';
  await mkdir(join(storage, inside), { recursive: true });
  if (stock === undefined) return storage;
  await run('cp', ['-al', join(stock, inside, 'blobs'), join(storage, inside)]);
  await run('cp', ['-a', join(stock, inside, 'repositories'), join(storage, inside)]);
  return storage;
}

interface AuthParts {
  readonly directory: string;
  readonly proxy: CountingProxy;
  readonly tokens: TokenServer | undefined;
}

async function authConfig(auth: RegistryAuth, parts: AuthParts): Promise<object> {
  if (auth === 'open') return {};
  if (auth === 'htpasswd') {
    const path = join(parts.directory, 'htpasswd');
    await writeFile(path, HTPASSWD);
    return { auth: { htpasswd: { realm: 'test registry', path } } };
  }
  const { tokens, proxy } = parts;
  return {
    auth: {
      token: {
        // At the registry's own address, so that a client may send its credentials there.
        realm: `${proxy.url}/token`,
        service: tokens?.service,
        issuer: tokens?.issuer,
        rootcertbundle: tokens?.certificateFile,
      },
    },
  };
}
