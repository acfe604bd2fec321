/** The kubelet's documents in and out of `deploy/kubernetes/larder-credential-provider`, with a scripted Larder. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  askProvider,
  credentialsOf,
  PROVIDER_API,
  requestDocument,
  type ProviderRequest,
} from '../support/e2e/credential-provider.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { json, status, type Reply } from '../support/scripted-reply.ts';
import { startServer, type RunningServer } from '../support/scripted-server.ts';
import { createCertificateAuthority } from '../support/tls.ts';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl-_';
const REQUEST: ProviderRequest = { image: 'ghcr.io/acme/app', serviceAccountToken: TOKEN };
const ANSWER = { token: 'pull.token.x_-', access_token: 'pull.token.x_-', expires_in: 300, issued_at: 'now' };
const SHELLS = ['dash', 'bash', 'bash --posix'];

/** A Larder that gives every client the same answer. */
async function larderThat(answers: Reply = json(ANSWER)): Promise<RunningServer> {
  return startServer(() => answers);
}

function optionsFor(server: RunningServer): readonly string[] {
  return [`--mirror=${server.url.origin}`];
}

describe('a CredentialProviderResponse', () => {
  test('has a pull token for the image alone, for half of its life', async () => {
    await using server = await larderThat();
    const { code, stdout, stderr } = await askProvider(requestDocument(REQUEST), optionsFor(server));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: PROVIDER_API,
      kind: 'CredentialProviderResponse',
      cacheKeyType: 'Image',
      cacheDuration: '150s',
      auth: { 'ghcr.io/acme/app': { username: 'token', password: 'pull.token.x_-' } },
    });
  });

  test('is had by a form of the OAuth2 protocol, without a header of authorization', async () => {
    await using server = await larderThat();
    await credentialsOf(REQUEST, optionsFor(server));
    const [hit] = server.hits;
    expect(hit).toMatchObject({ method: 'POST', target: '/token?ns=ghcr.io' });
    expect(hit?.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded' });
    expect(hit?.headers).not.toHaveProperty('authorization');
    expect(Object.fromEntries(new URLSearchParams(hit?.body))).toEqual({
      grant_type: 'password',
      client_id: 'larder-credential-provider',
      service: 'larder',
      username: 'serviceaccount',
      password: TOKEN,
      scope: 'repository:acme/app:pull',
    });
  });

  test.each<[string, string, string, string]>([
    ['ghcr.io/acme/app:1.0', '?ns=ghcr.io', 'acme/app', 'ghcr.io/acme/app'],
    [`ghcr.io/acme/app:1@sha256:${'0'.repeat(64)}`, '?ns=ghcr.io', 'acme/app', 'ghcr.io/acme/app'],
    ['registry.test:5000/app', '?ns=registry.test:5000', 'app', 'registry.test:5000/app'],
    ['docker.io/library/debian', '?ns=docker.io', 'library/debian', 'docker.io/library/debian'],
    ['index.docker.io/debian', '?ns=docker.io', 'library/debian', 'docker.io/library/debian'],
    ['debian:bookworm', '?ns=docker.io', 'library/debian', 'docker.io/library/debian'],
    ['acme/app', '?ns=docker.io', 'acme/app', 'docker.io/acme/app'],
    ['MIRROR/ghcr.io/acme/app:1', '', 'ghcr.io/acme/app', 'MIRROR/ghcr.io/acme/app'],
    ['MIRROR/debian', '', 'debian', 'MIRROR/debian'],
  ])('for %s asks /token%s for %s', async (image, query, repository, key) => {
    await using server = await larderThat();
    const placed = (text: string): string => text.replace('MIRROR', server.url.host);
    const { auth } = await credentialsOf({ ...REQUEST, image: placed(image) }, optionsFor(server));
    expect(Object.keys(auth)).toEqual([placed(key)]);
    expect(server.hits.map(({ target }) => target)).toEqual([`/token${query}`]);
    const form = new URLSearchParams(server.hits[0]?.body);
    expect(form.get('scope')).toBe(`repository:${repository}:pull`);
  });

  test.each([
    [{ ...ANSWER, scope: 'repository:acme/app:pull' }, '150s'],
    [{ ...ANSWER, expires_in: 90.5 }, '45s'],
    [{ ...ANSWER, expires_in: 1 }, '0s'],
  ])('of %j is kept for %s', async (answer, cacheDuration) => {
    await using server = await larderThat(json(answer));
    expect(await credentialsOf(REQUEST, optionsFor(server))).toMatchObject({ cacheDuration });
  });

  test('takes an answer that does not say how long its token lives as one for a minute', async () => {
    await using server = await larderThat(json({ token: 'pull.token.x' }));
    expect(await credentialsOf(REQUEST, optionsFor(server))).toMatchObject({ cacheDuration: '30s' });
  });
});

describe('a CredentialProviderRequest', () => {
  const annotations = {
    image: 'evil.test/x',
    quoted: '"image":"evil.test/x","serviceAccountToken":"a.b.c"',
    braces: '}}]\\',
  };
  const document = { kind: 'CredentialProviderRequest', apiVersion: PROVIDER_API };

  test.each(SHELLS)('is read whatever its annotations hold, by %s', async (command) => {
    await using server = await larderThat();
    const forms = [
      JSON.stringify({ ...document, serviceAccountAnnotations: annotations, ...REQUEST }),
      JSON.stringify({ ...REQUEST, serviceAccountAnnotations: annotations, ...document }, undefined, 2),
      JSON.stringify({ other: [1.5e3, true, null, {}], ...document, ...REQUEST, '': '' }),
    ];
    for (const form of forms) {
      const { code, stdout } = await askProvider(form, optionsFor(server), {
        shell: command.split(' '),
      });
      expect(code).toBe(0);
      expect(stdout).toContain('"ghcr.io/acme/app"');
    }
    expect(server.hits.map(({ body }) => new URLSearchParams(body).get('password'))).toEqual(
      forms.map(() => TOKEN),
    );
  });

  test.each<[string, string]>([
    ['', 'is no CredentialProviderRequest'],
    ['null', 'is no CredentialProviderRequest'],
    [requestDocument(REQUEST).slice(0, -3), 'cut off'],
    [JSON.stringify({ ...document, ...REQUEST, kind: 'Other' }), 'is no CredentialProviderRequest'],
    [JSON.stringify({ ...document, ...REQUEST, apiVersion: `${PROVIDER_API}beta1` }), 'beta1'],
    [requestDocument({ image: 'ghcr.io/acme/app' }), 'tokenAttributes'],
    [requestDocument({ ...REQUEST, serviceAccountToken: 'a&scope=x' }), 'is no JWT'],
    [requestDocument({ ...REQUEST, serviceAccountToken: 'a\nb' }), 'holds an escape'],
    [requestDocument({ ...REQUEST, image: 'ghcr.io/acme/app"' }), 'holds an escape'],
    [requestDocument({ ...REQUEST, image: 'ghcr.io/acme/app&ns=other' }), 'names no image'],
    [requestDocument({ ...REQUEST, image: '' }), 'names no image'],
    [requestDocument(REQUEST).replace('{', '{"image":"docker.io/other",'), 'two members "image"'],
    [requestDocument(REQUEST).replace('{', '{%'), 'is not JSON'],
  ])('is refused: %s', async (text, message) => {
    await using server = await larderThat();
    const { code, stdout, stderr } = await askProvider(text, optionsFor(server));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(server.hits).toEqual([]);
  });
});

describe('what Larder answers', () => {
  test.each<[Reply, string]>([
    [status(401), 'does not accept'],
    [status(404), 'no token endpoint'],
    [status(429), 'too many wrong credentials'],
    [status(500), 'answers 500'],
    [status(503), 'cannot check'],
    [status(307, { headers: { location: '/elsewhere' } }), 'answers 307'],
    [json({}), 'without a token'],
    [json({ token: 'a"b' }), 'holds an escape'],
    [json({ ...ANSWER, scope: '' }), 'do not let this service account pull ghcr.io/acme/app'],
    [json({ token: 'a.b.c', expires_in: -5 }), "without a token's life"],
    [json({ token: 'a.b.c', expires_in: 'soon' }), "without a token's life"],
    [status(200, { body: '<html>' }), 'is not JSON'],
    [status(200), 'without a token'],
  ])('%j is an error that shows no token', async (reply, message) => {
    await using server = await larderThat(reply);
    const { code, stdout, stderr } = await askProvider(requestDocument(REQUEST), optionsFor(server));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain(TOKEN);
    expect(server.hits).toHaveLength(1);
  });

  test('nothing is an error that shows no token', async () => {
    const server = await larderThat();
    await server.close();
    const { code, stderr } = await askProvider(requestDocument(REQUEST), optionsFor(server));
    expect(code).toBe(1);
    expect(stderr).toContain(`no answer from ${server.url.origin}`);
    expect(stderr).not.toContain(TOKEN);
  });
});

describe('the options', () => {
  test.each<[readonly string[], string]>([
    [[], '--mirror needs an address'],
    [['--mirror', 'https://mirror.example.com'], 'unknown option --mirror;'],
    [['--mirror=mirror.example.com'], '--mirror needs an address'],
    [['--mirror=https://mirror.example.com/docker.io'], 'scheme, host and port alone'],
    [['--mirror=https://me:pass@mirror.example.com'], 'scheme, host and port alone'],
    [['--mirror=http://mirror.example.com:5000'], 'use https, or --plain-http'],
    [['--mirror=http://127.0.0.1.example.com'], 'use https, or --plain-http'],
    [['--token=x'], 'unknown option --token=x'],
  ])('%j are refused', async (args, message) => {
    const { code, stderr } = await askProvider(requestDocument(REQUEST), args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  test('--ca-file names the authority that signed the certificate, and no other is believed', async () => {
    await using directory = await temporaryDirectory('provider');
    const authority = createCertificateAuthority();
    const caFile = join(directory.path, 'ca.pem');
    await writeFile(caFile, authority.certificate);
    await using server = await startServer(() => json(ANSWER), { tls: authority.issue(['localhost']) });

    expect(await credentialsOf(REQUEST, [...optionsFor(server), `--ca-file=${caFile}`])).toMatchObject({
      cacheDuration: '150s',
    });
    const { code, stderr } = await askProvider(requestDocument(REQUEST), optionsFor(server));
    expect(code).toBe(1);
    expect(stderr).toContain('certificate');
    expect(server.hits).toHaveLength(1);
  });
});

test('--pass-through gives the token of the service account itself, is kept by no kubelet, and asks nothing', async () => {
  const { auth, cacheDuration } = await credentialsOf(REQUEST, ['--pass-through']);
  expect(cacheDuration).toBe('0s');
  expect(auth).toEqual({ 'ghcr.io/acme/app': { username: 'token', password: TOKEN } });
});

test('no token is among the arguments of curl, which other processes of the node can read', async () => {
  await using directory = await temporaryDirectory('provider');
  const at = (name: string): string => join(directory.path, name);
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" >${at('arguments')}\ncat >${at('input')}\nprintf '%s200' '${JSON.stringify(ANSWER)}'\n`;
  await writeFile(at('curl'), script);
  await chmod(at('curl'), 0o755);
  const env = { PATH: `${directory.path}:${process.env['PATH']}` };
  const options = ['--mirror=http://mirror.example.com', '--plain-http'];
  const { code } = await askProvider(requestDocument(REQUEST), options, { env });
  expect(code).toBe(0);
  expect(await readFile(at('input'), 'utf8')).toContain(TOKEN);
  expect(await readFile(at('arguments'), 'utf8')).toContain('http://mirror.example.com/token?ns=ghcr.io\n');
  expect(await readFile(at('arguments'), 'utf8')).not.toContain(TOKEN);
});
