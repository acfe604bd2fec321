/**
 * A mirror that is closed but for Docker Hub, with a private image in its cache, and clients of all kinds:
 *
 * - `docker.io` is open to all: `library/debian`;
 * - `ghcr.io/acme/app` is for those of acme: alice, the static token `ci`, the service account `ci/builder`;
 * - `ghcr.io/other/app` is for olga alone.
 *
 * All three are cached when the world begins.
 */
import { Gate } from '../../src/access/gate.ts';
import { placeName, type Grant, type Identity, type Place } from '../../src/access/identity.ts';
import { ANONYMOUS, type Principal } from '../../src/access/principal.ts';
import { Rules, type Rule } from '../../src/access/rules/rules.ts';
import type { RememberingIndex } from '../../src/index/decorators/remembering-index.ts';
import { CountedCalls } from './counted-calls.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from './fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from './mirror-fixture.ts';
import { scriptedAuthentication } from './scripted-authentication.ts';

export const DEBIAN: Place = { registry: 'docker.io', repository: 'library/debian' };
export const ACME: Place = { registry: 'ghcr.io', repository: 'acme/app' };
export const OTHER: Place = { registry: 'ghcr.io', repository: 'other/app' };

/** A Host that selects ghcr.io. */
export const GHCR_HOST = 'ghcr.mirror.test';

const ALICE: Principal = { kind: 'user', name: 'alice' };
const BUILDER: Principal = {
  kind: 'oidc',
  issuer: 'cluster',
  subject: 'system:serviceaccount:ci:builder',
  groups: [],
  serviceAccount: { namespace: 'ci', name: 'builder' },
};

function grantOf(...places: readonly Place[]): Grant {
  return new Map(places.map((place) => [placeName(place), new Set(['pull', 'tags'] as const)]));
}

/** What clients send as Authorization, and who they thereby are. */
export const CLIENTS = {
  alice: { principal: ALICE },
  bob: { principal: { kind: 'user', name: 'bob' } },
  olga: { principal: { kind: 'user', name: 'olga' } },
  ci: { principal: { kind: 'token', name: 'ci' } },
  builder: { principal: BUILDER },
  prometheus: { principal: { kind: 'token', name: 'prometheus' } },
  /** One that may read by the API, and one that may change. */
  reader: { principal: { kind: 'user', name: 'reader' } },
  admin: { principal: { kind: 'user', name: 'admin' } },
  /** Alice by a bearer token for acme's image, and by one for Debian. */
  'for-acme': { principal: ALICE, grant: grantOf(ACME) },
  'for-debian': { principal: ALICE, grant: grantOf(DEBIAN) },
  /** A client without an account, by a bearer token for Debian. */
  'anonymous-for-debian': { principal: ANONYMOUS, grant: grantOf(DEBIAN) },
} satisfies Readonly<Record<string, Identity>>;

const FAILURES = {
  wrong: 'wrong-credentials',
  expired: 'wrong-credentials',
  throttled: 'throttled',
  unavailable: 'unavailable',
} as const;

export type Client = keyof typeof CLIENTS | keyof typeof FAILURES | 'anonymous';

/** Returns the header of a client. */
export function as(client: Client): { Authorization?: string } {
  return client === 'anonymous' ? {} : { Authorization: client };
}

const PULL: Rule['allow'] = ['pull', 'tags'];

export const RULES: readonly Rule[] = [
  {
    repositories: ['ghcr.io/acme/**'],
    who: [
      { kind: 'user', name: 'alice' },
      { kind: 'token', name: 'ci' },
      { kind: 'serviceaccount', namespace: 'ci', name: '*' },
    ],
    allow: PULL,
  },
  { repositories: ['ghcr.io/other/**'], who: [{ kind: 'user', name: 'olga' }], allow: PULL },
  { repositories: ['docker.io/**'], who: [{ kind: 'anonymous' }], allow: PULL },
  { repositories: ['**'], who: [{ kind: 'token', name: 'prometheus' }], allow: ['metrics'] },
  { repositories: ['**'], who: [{ kind: 'user', name: 'reader' }], allow: ['read'] },
  { repositories: ['**'], who: [{ kind: 'user', name: 'admin' }], allow: ['admin'] },
];

export interface AccessWorld extends AsyncDisposable {
  readonly mirror: MirrorFixture;
  readonly hub: FakeRegistry;
  readonly ghcr: FakeRegistry;
  readonly images: Readonly<Record<'debian' | 'acme' | 'other', StoredImage>>;
  /** The calls of index and store so far. */
  readonly calls: CountedCalls;
}

/** @param isInstant whether credentials are known at once, so that warm manifests take the short way */
export async function accessWorld({
  isInstant = true,
  rules = RULES,
  ...options
}: Partial<MirrorFixtureOptions> & {
  isInstant?: boolean;
  rules?: readonly Rule[];
} = {}): Promise<AccessWorld> {
  await using stack = new AsyncDisposableStack();
  const hub = stack.use(await startFakeRegistry());
  const ghcr = stack.use(await startFakeRegistry());
  // A config of its own for each: equal bytes would belong to all three repositories.
  const parts = (name: string): Parameters<FakeRegistry['putImage']>[2] => ({
    layers: [Buffer.from(`a layer of ${name}`)],
    config: { architecture: 'amd64', os: 'linux', rootfs: {}, author: name },
  });
  const images = {
    debian: hub.putImage('library/debian', '12', parts('debian')),
    acme: ghcr.putImage('acme/app', '1', parts('acme')),
    other: ghcr.putImage('other/app', '1', parts('other')),
  };
  const calls = new CountedCalls();
  const authentication = scriptedAuthentication({ ...CLIENTS, ...FAILURES }, isInstant);
  const mirror = stack.use(
    await startMirror({
      upstreams: [
        { name: 'docker.io', registry: hub, addLibrary: true },
        {
          name: 'ghcr.io',
          registry: ghcr,
          hosts: [GHCR_HOST],
          isAllowed: (name) => !name.startsWith('secret/'),
        },
      ],
      gate: new Gate(new Rules(rules, new Map()), authentication),
      wrapStore: (store) => calls.store(store),
      wrapIndex: (index: RememberingIndex) => calls.index(index),
      ...options,
    }),
  );
  await warm(mirror, 'docker.io', 'library/debian', images.debian, '12', 'anonymous');
  await warm(mirror, 'ghcr.io', 'acme/app', images.acme, '1', 'alice');
  await warm(mirror, 'ghcr.io', 'other/app', images.other, '1', 'olga');
  const owned = stack.move();
  return { mirror, hub, ghcr, images, calls, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Pulls an image, so that it is cached, if the client may. */
async function warm(
  mirror: MirrorFixture,
  registry: string,
  repository: string,
  image: StoredImage,
  tag: string,
  client: Client,
): Promise<void> {
  const base = `/${registry}/v2/${repository}`;
  const headers = as(client);
  const digests = [image.config, ...image.layers].map(({ digest }) => `${base}/blobs/${digest}`);
  const paths = [`${base}/manifests/${tag}`, `${base}/manifests/${image.digest}`, ...digests];
  for (const path of paths) await mirror.get(path, { headers });
}
