import { join } from 'node:path';
import { AUDIENCE, startScriptedIssuer, type ScriptedIssuer } from '../scripted-issuer.ts';
import { credentialsOf } from './credential-provider.ts';
import {
  containerdMajor,
  criContainerd,
  forPods,
  onAnyFileSystem,
  type CriContainerd,
} from './cri-containerd.ts';
import { dockerRegistry, type DockerRegistry } from './docker-registry.ts';
import { changed, documented, placed } from './documented.ts';
import { larder, type Config, type Larder } from './larder.ts';
import { pushPodImages } from './pod-images.ts';
import { startPod, type Pod } from './pod.ts';
import { temporaryDirectory } from './temporary.ts';

const HEADING = 'containerd, Kubernetes, nerdctl';

/** Whose pod it is. */
interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** A node of a cluster without a kubelet, and Larder with the cluster's service accounts in its rules. */
export interface Cluster extends AsyncDisposable {
  readonly mirror: Larder;
  /** The private registry behind Larder, `ghcr.io`. Only Larder has an account there. */
  readonly registry: DockerRegistry;
  readonly engine: CriContainerd;
  /** The options of the credential provider. */
  readonly providerOptions: readonly string[];
  /** Makes a token of the service account, as the API server does. @param claims what is not as it should be */
  token(account: ServiceAccount, claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Pulls as the kubelet does for a pod: with what the credential provider gives for its service account. */
  pull(image: string, account: ServiceAccount): Promise<void>;
  start(image: string, account: ServiceAccount): Promise<Pod>;
}

export interface ClusterOptions {
  /** The repositories of the registry, each with an image `1` that a pod can run. */
  readonly repositories: readonly string[];
  /** Larder's `access.rules`. */
  readonly rules: readonly object[];
}

export async function cluster(options: ClusterOptions): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const root = stack.use(await temporaryDirectory('cluster'));
  const open = stack.use(await dockerRegistry());
  await pushPodImages(open.directUrl, root.path, ['pause', ...options.repositories]);
  const registry = stack.use(await dockerRegistry({ stock: open.storage, auth: 'htpasswd' }));
  const issuer = stack.use(await startScriptedIssuer(Date.now));
  // The algorithm of a cluster's keys.
  await issuer.rotate('RS256');
  const mirror = stack.use(await larder(larderConfig(registry, issuer, options.rules)));
  await writeHosts(root.path, mirror.url);
  const configFile = await writeContainerdConfig(root.path, `${open.directHost}/pause:1`);
  const engine = stack.use(await criContainerd(root.path, configFile));
  const providerOptions = [`--mirror=${mirror.url}`];
  const owned = stack.move();
  return {
    mirror,
    registry,
    token: async (account, claims) => tokenOf(issuer, account, claims),
    engine,
    providerOptions,
    async pull(image, account) {
      const serviceAccountToken = await tokenOf(issuer, account);
      const { auth } = await credentialsOf(
        { image: withoutTag(image), serviceAccountToken },
        providerOptions,
      );
      await pullWith(engine, image, auth[withoutTag(image)]);
    },
    start: async (image, { namespace }) => startPod(engine, { directory: root.path, namespace, image }),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

/** Pulls by the CRI with credentials. @throws Error with crictl's message */
export async function pullWith(
  engine: CriContainerd,
  image: string,
  credentials: { readonly username: string; readonly password: string } | undefined,
): Promise<void> {
  const pair = Buffer.from(`${credentials?.username}:${credentials?.password}`).toString('base64');
  const auth = credentials === undefined ? '' : `--auth ${pair}`;
  await engine.shell(`crictl pull ${auth} ${image}`);
}

function tokenOf(
  issuer: ScriptedIssuer,
  { namespace, name }: ServiceAccount,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return issuer.sign({
    aud: [AUDIENCE],
    sub: `system:serviceaccount:${namespace}:${name}`,
    'kubernetes.io': {
      namespace,
      node: { name: 'node-1', uid: 'node-uid' },
      pod: { name: 'app', uid: 'pod-uid' },
      serviceaccount: { name, uid: 'account-uid' },
    },
    ...claims,
  });
}

function withoutTag(image: string): string {
  return image.slice(0, image.lastIndexOf(':'));
}

function larderConfig(registry: DockerRegistry, issuer: ScriptedIssuer, rules: readonly object[]): Config {
  return {
    upstreams: { 'ghcr.io': { url: registry.url, credentials: registry.account } },
    access: {
      oidc: { cluster: { issuer: issuer.issuer, audience: AUDIENCE, serviceAccounts: true } },
      rules,
    },
  };
}

/** Makes Larder the mirror for ghcr.io, and the only host that containerd asks. */
async function writeHosts(root: string, mirror: string): Promise<void> {
  const { path, text } = documented('README.md', HEADING, 2);
  const addresses = { 'https://registry-1.docker.io': mirror, 'http://127.0.0.1:5000': mirror };
  await placed(root, changed(path, { 'docker.io': 'ghcr.io' }), changed(text, addresses));
}

async function writeContainerdConfig(root: string, sandboxImage: string): Promise<string> {
  const major = await containerdMajor();
  const { path, text } = documented('README.md', HEADING, major === 1 ? 0 : 1);
  const own = changed(text, { '/etc/containerd': join(root, '/etc/containerd') });
  return placed(root, path, forPods(onAnyFileSystem(own, major), major, sandboxImage));
}
