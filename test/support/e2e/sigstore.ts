import { containersHost } from './containers-host.ts';
import { attempt } from './process.ts';

/** An image to copy inside a registry, and the name in its signature. */
interface Signing {
  /** Names in the registry, without its host. */
  readonly from: string;
  readonly to: string;
  /** The image's name for its users, with the registry. */
  readonly identity: string;
}

/** A publisher of images, with signatures in the same repository, as sigstore attachments. */
export interface Publisher extends AsyncDisposable {
  /** PEM. */
  readonly publicKey: string;
  copySigned(signing: Signing): Promise<void>;
}

/** @returns why images cannot be signed or verified here; undefined if they can */
export async function sigstoreUnable(): Promise<string | undefined> {
  const { stdout } = await attempt('skopeo', ['--help']);
  return stdout.includes('generate-sigstore-key')
    ? undefined
    : 'skopeo is older than 1.12, or built without sigstore (Debian 12)';
}

/** @param registry its `host:port` */
export async function publisher(registry: string): Promise<Publisher> {
  await using stack = new AsyncDisposableStack();
  const host = stack.use(await containersHost());
  const attachments = `docker:\n  ${registry}:\n    use-sigstore-attachments: true\n`;
  await host.place('/etc/containers/registries.d/own.yaml', attachments);
  await host.place('/etc/containers/password', 'larder');
  const password = '-passphrase-file /etc/containers/password';
  await host.type(`skopeo generate-sigstore-key --output-prefix /etc/containers/key -${password}`);
  const plain = '--quiet --src-tls-verify=false --dest-tls-verify=false';
  const key = `--sign-by-sigstore-private-key /etc/containers/key.private --sign${password}`;
  const publicKey = await host.type('cat /etc/containers/key.pub');
  const owned = stack.move();
  return {
    publicKey,
    async copySigned({ from, to, identity }) {
      const places = `docker://${registry}/${from} docker://${registry}/${to}`;
      await host.type(`skopeo copy ${plain} ${key} --sign-identity ${identity} ${places}`);
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
