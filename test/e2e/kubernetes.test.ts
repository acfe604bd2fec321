/** Pods that pull through Larder as their own service accounts, by containerd's CRI and the credential provider. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cluster, pullWith, type Cluster } from '../support/e2e/cluster.ts';
import { askProvider, credentialsOf, requestDocument } from '../support/e2e/credential-provider.ts';
import { crictlUnable } from '../support/e2e/cri-containerd.ts';

const unable = await crictlUnable();
if (unable !== undefined) console.log(`skipped, crictl cannot be had here: ${unable}`);

const BUILDER = { namespace: 'ci', name: 'builder' };
const OTHER = { namespace: 'ci', name: 'other' };
const RULES = [{ repositories: ['ghcr.io/acme/**'], who: ['serviceaccount:ci/builder'], allow: ['pull'] }];

describe.skipIf(unable !== undefined)('an image that only one service account may pull', () => {
  let node: Cluster;

  beforeAll(async () => {
    node = await cluster({ repositories: ['acme/app', 'acme/secret'], rules: RULES });
  });
  afterAll(async () => node[Symbol.asyncDispose]());
  beforeEach(async () => void (await node.engine.shell('crictl rmi --all')));

  /** Requests for the image that no client but the allowed one may cause. */
  const asked = (): readonly string[] =>
    node.registry.proxy.requests.map(({ path }) => path).filter((path) => path.includes('acme/secret'));
  const secret = (): string => `${node.mirror.host}/ghcr.io/acme/secret:1`;

  test.each([
    ["Larder's name", () => `${node.mirror.host}/ghcr.io/acme/app:1`],
    ["the registry's name, with Larder as its mirror", () => 'ghcr.io/acme/app:1'],
  ])('runs in its pod, by %s', async (_, image) => {
    await node.pull(image(), BUILDER);
    await using pod = await node.start(image(), BUILDER);
    await expect.poll(() => pod.output(), { timeout: 10_000 }).toBe('it runs\n');
    expect(node.mirror.process.stdout()).toContain('"user":"serviceaccount:ci/builder"');
  });

  test('comes with the token of the service account itself too, which the provider can pass through', async () => {
    const image = `${node.mirror.host}/ghcr.io/acme/app`;
    const request = { image, serviceAccountToken: await node.token(BUILDER) };
    const { auth } = await credentialsOf(request, ['--pass-through']);
    await pullWith(node.engine, `${image}:1`, auth[image]);
    expect(await node.engine.shell('crictl images')).toContain(image);
  });

  test('is not there for another service account', async () => {
    await expect(node.pull(secret(), OTHER)).rejects.toThrow('do not let this service account pull');
    const password = await node.token(OTHER);
    await expect(pullWith(node.engine, secret(), { username: 'x', password })).rejects.toThrow(
      /not found|404/,
    );
    expect(asked()).toEqual([]);
  });

  test('is not given without credentials', async () => {
    await expect(pullWith(node.engine, secret(), undefined)).rejects.toThrow(/401|authorization failed/);
    expect(asked()).toEqual([]);
  });

  test.each([
    ['for another audience', { aud: ['https://kubernetes.default.svc'] }],
    ['that has expired', { exp: 1_700_000_000 }],
  ])('is not given for a token %s', async (_, wrong) => {
    const serviceAccountToken = await node.token(BUILDER, wrong);
    const request = requestDocument({ image: secret(), serviceAccountToken });
    const { code, stdout, stderr } = await askProvider(request, node.providerOptions);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain("does not accept the service account's token");
    const credentials = { username: 'x', password: serviceAccountToken };
    await expect(pullWith(node.engine, secret(), credentials)).rejects.toThrow(/401|authorization failed/);
    expect(asked()).toEqual([]);
  });

  test('leaves no token in the log of Larder', async () => {
    const token = await node.token(BUILDER);
    await pullWith(node.engine, secret(), { username: 'x', password: token });
    expect(asked()).not.toEqual([]);
    const { stdout, stderr } = await node.mirror.stop();
    expect(stdout + stderr).not.toContain(token.split('.')[2]);
  });
});
