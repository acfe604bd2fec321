/** What README and docs/clients.md say of podman, buildah and skopeo, followed to the letter. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { containersHost, type ContainersHost } from '../support/e2e/containers-host.ts';
import { cosign } from '../support/e2e/cosign.ts';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { changed, documented } from '../support/e2e/documented.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { run } from '../support/e2e/process.ts';
import { publisher, sigstoreUnable } from '../support/e2e/sigstore.ts';
import { tlsFront, type TlsFront } from '../support/e2e/tls-front.ts';
import { until } from '../support/e2e/until.ts';
import { createCertificateAuthority } from '../support/tls.ts';

const { app, debian, storage } = inject('stock');

const HEADING = 'podman, buildah, skopeo, CRI-O';
/** Where the pages say that Larder listens. */
const LARDER = '127.0.0.1:5000';
/** What podman says of an image that has no signature and has to have one. */
const UNSIGNED = /A signature was required, but no signature exists/;

/** A registry that stands for Docker Hub and for ghcr.io, with Larder before it. */
interface World extends AsyncDisposable {
  readonly registry: DockerRegistry;
  readonly mirror: Larder;
  /** A machine whose registries.conf is README's. */
  host(): Promise<ContainersHost>;
}

async function world(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await dockerRegistry({ stock: storage }));
  const upstreams = { 'docker.io': { url: registry.url }, 'ghcr.io': { url: registry.url } };
  const mirror = stack.use(await larder({ upstreams, tags: { ttl: '0s' }, negativeTtl: '0s' }));
  const owned = stack.move();
  return {
    registry,
    mirror,
    async host() {
      const host = owned.use(await containersHost());
      const { path, text } = documented('README.md', HEADING);
      await host.place(path, changed(text, { [LARDER]: mirror.host }));
      return host;
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

/** The small image under a name of its own at the registry, signed or not. */
async function push({ registry }: World, name: string, ...args: string[]): Promise<void> {
  const at = `docker://${registry.directHost}`;
  const options = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', '--preserve-digests'];
  await run('skopeo', ['copy', ...options, ...args, `${at}/team/app:1`, `${at}/${name}`]);
}

/** The image's manifest in Larder's log: `docker.io/library/debian:latest 200`. */
async function loggedManifest(mirror: Larder): Promise<string> {
  return until('the request is in the log', () => {
    const lines = mirror.process.stdout().split('\n').slice(0, -1);
    const requests = lines.map((line) => JSON.parse(line) as Partial<Record<string, string>>);
    const of = requests.find((line) => line['requestKind'] === 'manifest');
    return of && `${of['upstream']}/${of['repository']}:${of['reference']} ${of['status']}`;
  });
}

describe('through the mirror, and again while the registry is gone', () => {
  test.each([
    ['podman pull debian', 'docker.io/library/debian:latest'],
    ['podman pull team/app:1', 'docker.io/team/app:1'],
    ['podman pull ghcr.io/team/app:1', 'ghcr.io/team/app:1'],
    ['echo FROM team/app:1 | buildah bud --isolation chroot -', 'docker.io/team/app:1'],
    ['skopeo copy docker://ghcr.io/team/app:1 dir:copy', 'ghcr.io/team/app:1'],
  ])('%s', async (line, image) => {
    await using all = await world();
    await push(all, 'library/debian:latest');
    const [first, second] = [await all.host(), await all.host()];

    await first.type(line);

    expect(await loggedManifest(all.mirror)).toBe(`${image} 200`);
    const askers = all.registry.proxy.requests.map((request) => request.headers['user-agent']);
    expect(new Set(askers)).toEqual(new Set([expect.stringMatching(/^larder/)]));
    await all.registry.proxy.close();
    await second.type(line);
    expect([first.askedBeyond, second.askedBeyond]).toEqual([[], []]);
  });
});

test('what lists tags is asked of the mirror by its own address, and of the registry by the registry’s', async () => {
  await using all = await world();
  await push(all, 'library/debian:latest');
  const host = await all.host();
  const [inspect = '', list = ''] = documented('docs/clients.md', 'skopeo inspect and list-tags').text.split(
    '\n',
  );
  const ask = async (line: string): Promise<unknown> =>
    JSON.parse(await host.type(changed(line, { [LARDER]: all.mirror.host })));

  const tags = ['bookworm', 'latest', debian.index.digest.replace(':', '-')];
  expect(await ask(inspect)).toMatchObject({ Digest: app.manifest.digest, RepoTags: tags });
  expect(await ask(list)).toMatchObject({ Tags: tags });
  expect(host.askedBeyond).toEqual([]);

  for (const line of [inspect, list]) {
    const byRegistry = host.type(changed(line, { [`${LARDER}/`]: '' }));
    await expect(byRegistry).rejects.toThrow(/registry-1\.docker\.io: .*407/);
  }
});

const unverified = await sigstoreUnable();

describe('signatures', () => {
  const attachments = documented('docs/clients.md', 'Signatures (sigstore)');
  const policy = documented('docs/clients.md', 'Signatures (sigstore)', 1);
  const PULL = 'podman pull ghcr.io/acme/app:1';

  /** A machine that takes only what this key has signed. */
  async function strictHost(all: World, publicKey: string): Promise<ContainersHost> {
    const host = await all.host();
    await host.place(attachments.path, changed(attachments.text, { [LARDER]: all.mirror.host }));
    await host.place(policy.path, policy.text);
    await host.place('/etc/containers/acme.pub', publicKey);
    return host;
  }

  /** Where `ghcr.io/acme/app:1` is signed as cosign does it. Gives the public key. */
  async function signByCosign(all: World): Promise<string> {
    await push(all, 'acme/app:1');
    const image = { repository: 'acme/app', digest: app.manifest.digest };
    return cosign(all.registry.directUrl, image, 'ghcr.io/acme/app');
  }

  /** Where `ghcr.io/acme/app:1` is signed by skopeo. Gives the public key. */
  async function signBySkopeo({ registry }: World): Promise<string> {
    await using acme = await publisher(registry.directHost);
    await acme.copySigned({ from: 'team/app:1', to: 'acme/app:1', identity: 'ghcr.io/acme/app:1' });
    return acme.publicKey;
  }

  function anotherKey(): string {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  test('come through the mirror, and again while the registry is gone', async () => {
    await using all = await world();
    const publicKey = await signByCosign(all);
    const outcome = async (host: ContainersHost): Promise<string> =>
      host.type(PULL).then(
        () => 'pulled',
        (error: Error) => error.message,
      );
    // A podman that cannot verify says so of a signature that it has got, and of no other.
    const verified = unverified === undefined ? /^pulled$/ : /: Debian-local change: sigstore disabled/;

    expect(await outcome(await strictHost(all, publicKey))).toMatch(verified);
    await all.registry.proxy.close();
    expect(await outcome(await strictHost(all, publicKey))).toMatch(verified);
  });

  test('are not found without the entry of the mirror', async () => {
    await using all = await world();
    const host = await strictHost(all, await signByCosign(all));
    await host.place(attachments.path, changed(attachments.text, { [LARDER]: 'another.example' }));
    await expect(host.type(PULL)).rejects.toThrow(UNSIGNED);
  });

  test('are asked for: an image without one is refused', async () => {
    await using all = await world();
    await push(all, 'acme/app:1');
    const host = await strictHost(all, anotherKey());
    await expect(host.type(PULL)).rejects.toThrow(UNSIGNED);
  });

  describe.skipIf(unverified !== undefined)(`by skopeo${unverified ? `: ${unverified}` : ''}`, () => {
    test('are verified, and again while the registry is gone', async () => {
      await using all = await world();
      const publicKey = await signBySkopeo(all);
      const [first, second] = [await strictHost(all, publicKey), await strictHost(all, publicKey)];

      await first.type(PULL);

      await all.registry.proxy.close();
      await second.type(PULL);
      expect([first.askedBeyond, second.askedBeyond]).toEqual([[], []]);
    });

    test('of another key are refused', async () => {
      await using all = await world();
      await signBySkopeo(all);
      const host = await strictHost(all, anotherKey());
      await expect(host.type(PULL)).rejects.toThrow(/signature verification failed/);
    });
  });
});

describe('TLS', () => {
  const NAMED = 'mirror.example.com';
  const PULL = 'podman pull team/app:1';
  const { text } = documented('docs/clients.md', 'TLS');
  const authority = createCertificateAuthority();

  /** What ends TLS before Larder, as a proxy does. Gives its `host:port`. */
  async function tlsBefore(all: World): Promise<TlsFront> {
    const port = Number(new URL(all.mirror.url).port);
    return tlsFront(authority.issue(['127.0.0.1']), port);
  }

  test('the mirror is taken once certs.d has its authority', async () => {
    await using all = await world();
    await using front = await tlsBefore(all);
    const host = await all.host();
    await host.place('/etc/containers/registries.conf', changed(text, { [NAMED]: front.host }));
    await expect(host.type(PULL)).rejects.toThrow(/certificate signed by unknown authority/);
    const beyond = [...host.askedBeyond];

    await host.place(`/etc/containers/certs.d/${front.host}/ca.crt`, authority.certificate);
    await host.type(PULL);

    expect(await loggedManifest(all.mirror)).toBe('docker.io/team/app:1 200');
    expect(host.askedBeyond).toEqual(beyond);
  });
});
