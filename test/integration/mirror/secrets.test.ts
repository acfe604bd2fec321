import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createLog } from '../../../src/observe/logger.ts';
import { createLogListener } from '../../../src/observe/log.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { flip, instead, redirect, registryError, status } from '../../support/scripted-reply.ts';

const CONTENT = Buffer.from('a layer');
const PATH = `/v2/acme/app/blobs/${digestOf(CONTENT)}`;

/** What the client sends, what the token server gives, what a redirect is signed with. */
const SECRETS = [
  'query-of-the-client',
  'Y2xpZW50OnNlY3JldA',
  'cookie-of-the-client',
  'token-1',
  'X-Amz-Signature',
  'signature=',
];
const ASKED = { authorization: 'Basic Y2xpZW50OnNlY3JldA==', cookie: 'session=cookie-of-the-client' };

/** Everything that the events so far leave behind for others to read. */
async function traces(mirror: MirrorFixture): Promise<string> {
  const stream = new PassThrough();
  const log = createLogListener(createLog({ level: 'trace', format: 'json' }, false, stream), mirror.clock);
  const metrics = createMetrics({
    fills: () => 0,
    store: () => mirror.index.stats(),
    storeLimit: undefined,
    freeBytes: () => Promise.resolve(0),
    isDiskFailing: () => false,
    upstreams: [],
    waitingClaims: () => Promise.resolve(0),
  });
  for (const event of mirror.events) {
    log(event);
    metrics.listener(event);
  }
  const { text } = await metrics.read();
  return `${(stream.read() as Buffer).toString()}${text}`;
}

const LEFT = 'http://127.0.0.1:1/storage?X-Amz-Signature=secret';

test.each<[string, FakeRegistryOptions, Parameters<typeof instead>[0] | undefined]>([
  ['a pull that works, through a signed redirect', { redirectBlobs: true }, undefined],
  ['a redirect to where nobody answers', {}, redirect(LEFT)],
  ['a redirect that may not be followed', {}, redirect('file:///etc/passwd?X-Amz-Signature=secret')],
  ['a redirect to no URL', {}, redirect('http://[?X-Amz-Signature=secret')],
  ['a registry that refuses the token', {}, registryError(401, 'UNAUTHORIZED')],
  ['a registry that fails', {}, status(500, { body: 'oops' })],
])('%s: no secret in the log, the metrics, or the answer', async (_, options, answer) => {
  await using registry = await startFakeRegistry({ auth: { kind: 'bearer' }, ...options });
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  registry.putBlob('acme/app', CONTENT);
  if (answer !== undefined) registry.fault({ kind: 'blob' }, instead(answer));
  const got = await mirror.get(`${PATH}?ns=registry.test&key=query-of-the-client`, { headers: ASKED });
  expect(got.status === 200).toBe(answer === undefined);
  await expect.poll(() => mirror.served.length).toBe(1);
  const left = await traces(mirror);
  expect(left).toContain(`${PATH}?ns=registry.test`);
  const seen = `${left}${JSON.stringify(got.headers)}${got.body.toString()}`;
  for (const secret of SECRETS) expect(seen).not.toContain(secret);
});

test('wrong bytes behind a signed redirect: neither', async () => {
  await using registry = await startFakeRegistry({ auth: { kind: 'bearer' }, redirectBlobs: true });
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  registry.putBlob('acme/app', CONTENT);
  registry.fault({ kind: 'storage' }, flip(0));
  expect((await mirror.get(PATH, { headers: ASKED })).complete).toBe(false);
  await expect.poll(() => mirror.events.some(({ kind }) => kind === 'verification-failed')).toBe(true);
  const left = await traces(mirror);
  expect(left).toContain('wrong bytes');
  for (const secret of SECRETS) expect(left).not.toContain(secret);
});
