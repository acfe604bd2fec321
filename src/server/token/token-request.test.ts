import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatScope } from '../../access/bearer/scope.ts';
import { RegistryError } from '../../oci/error.ts';
import { MAX_FORM_BYTES } from './form-body.ts';
import { readTokenRequest } from './token-request.ts';

const FORM = 'application/x-www-form-urlencoded';
const LONG = 'x'.repeat(MAX_FORM_BYTES + 1);

function request(
  method: string,
  url: string,
  { headers = {}, body = [] }: { headers?: IncomingHttpHeaders; body?: readonly string[] } = {},
): IncomingMessage {
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
  const stream = Readable.from(body.map((part) => Buffer.from(part)));
  return Object.assign(stream, { method, url, headers, rawHeaders }) as unknown as IncomingMessage;
}

function post(form: Readonly<Record<string, string>> | string, url = '/token'): IncomingMessage {
  const text = typeof form === 'string' ? form : new URLSearchParams(form).toString();
  return request('POST', url, { headers: { 'content-type': FORM }, body: [text] });
}

async function read(incoming: IncomingMessage): Promise<object> {
  const { scopes, ...rest } = await readTokenRequest(incoming);
  return { scopes: scopes.map(formatScope).join(' '), ...rest };
}

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

describe('a GET', () => {
  it.each<[string, string, IncomingHttpHeaders, object]>([
    ['of nothing', '/token', {}, { scopes: '', authorization: undefined, ns: undefined, isForm: false }],
    [
      'of dockerd',
      '/token?account=alice&client_id=docker&offline_token=true&service=larder',
      { authorization: basic('alice:secret') },
      { scopes: '', authorization: basic('alice:secret'), ns: undefined, isForm: false },
    ],
    [
      'with a registry in the realm',
      '/token?ns=docker.io&scope=repository%3Alibrary%2Fdebian%3Apull&service=larder',
      {},
      { scopes: 'repository:library/debian:pull', authorization: undefined, ns: 'docker.io', isForm: false },
    ],
    [
      'with several scopes',
      '/token?scope=repository:a:pull&scope=repository:b:pull+repository:c:pull',
      {},
      {
        scopes: 'repository:a:pull repository:b:pull repository:c:pull',
        authorization: undefined,
        ns: undefined,
        isForm: false,
      },
    ],
  ])('%s', async (_, url, headers, expected) => {
    expect(await read(request('GET', url, { headers }))).toEqual(expected);
  });
});

describe('a POST', () => {
  it('of containerd has a password', async () => {
    const form = {
      client_id: 'containerd-client',
      grant_type: 'password',
      password: 'p:ä&=+ ',
      scope: 'repository:a/b:pull repository:ghcr.io/a/b:pull',
      service: 'larder',
      username: 'alice',
    };
    expect(await read(post(form, '/token?ns=ghcr.io'))).toEqual({
      scopes: 'repository:a/b:pull repository:ghcr.io/a/b:pull',
      authorization: basic('alice:p:ä&=+ '),
      ns: 'ghcr.io',
      isForm: true,
    });
  });

  it('may have a token in its place', async () => {
    const form = {
      grant_type: 'refresh_token',
      refresh_token: 'a.b.c',
      client_id: 'docker',
      service: 'larder',
    };
    expect(await read(post(form))).toMatchObject({ authorization: 'Bearer a.b.c' });
  });

  it('has its credentials in the form alone', async () => {
    const incoming = post({
      grant_type: 'refresh_token',
      refresh_token: 'a.b.c',
      scope: 'repository:a:pull',
    });
    incoming.headers.authorization = basic('bob:other');
    incoming.url = '/token?scope=repository:b:pull';
    expect(await read(incoming)).toMatchObject({
      authorization: 'Bearer a.b.c',
      scopes: 'repository:a:pull',
    });
  });

  it.each(['application/x-www-form-urlencoded; charset=utf-8', 'Application/X-WWW-Form-Urlencoded'])(
    'may call its form %s',
    async (type) => {
      const incoming = post({ grant_type: 'refresh_token', refresh_token: 'a' });
      incoming.headers['content-type'] = type;
      await expect(read(incoming)).resolves.toBeDefined();
    },
  );

  it.each<[string, string, IncomingMessage]>([
    ['without a grant type', 'NAME_INVALID', post({})],
    ['of another grant type', 'NAME_INVALID', post({ grant_type: 'authorization_code', code: 'x' })],
    ['without a user', 'NAME_INVALID', post({ grant_type: 'password', password: 'x' })],
    ['without a password', 'NAME_INVALID', post({ grant_type: 'password', username: 'x' })],
    ['without its token', 'NAME_INVALID', post({ grant_type: 'refresh_token' })],
    [
      'of JSON',
      'NAME_INVALID',
      request('POST', '/token', { headers: { 'content-type': 'application/json' } }),
    ],
    ['of a text', 'NAME_INVALID', request('POST', '/token', { headers: { 'content-type': `${FORM}ed` } })],
    ['of no type', 'NAME_INVALID', request('POST', '/token')],
    [
      'that says that it is too long',
      'SIZE_INVALID',
      request('POST', '/token', { headers: { 'content-type': FORM, 'content-length': '99999' } }),
    ],
    [
      'that is too long',
      'SIZE_INVALID',
      request('POST', '/token', { headers: { 'content-type': FORM }, body: ['a=', LONG] }),
    ],
  ])('%s is refused', async (_, code, incoming) => {
    await expect(read(incoming)).rejects.toMatchObject({ name: 'RegistryError', code });
  });

  it('that ends early is refused', async () => {
    const incoming = post('');
    incoming.destroy(new Error('aborted'));
    await expect(read(incoming)).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });

  it('is refused without its secret in the message', async () => {
    const incoming = post({ grant_type: 'x', password: 'secret', username: 'secret' });
    await expect(read(incoming)).rejects.toThrow(/^((?!secret).)*$/);
  });
});

it.each(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is refused', async (method) => {
  await expect(read(request(method, '/token'))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

it.each<[string, string, IncomingHttpHeaders]>([
  ['two registries', '/token?ns=ghcr.io&ns=docker.io', {}],
  [
    'too many scopes',
    `/token?${Array.from({ length: 21 }, (_, i) => `scope=repository:a${i}:pull`).join('&')}`,
    {},
  ],
])('%s are refused', async (_, url, headers) => {
  await expect(read(request('GET', url, { headers }))).rejects.toMatchObject({ code: 'NAME_INVALID' });
});

it('any query and any form is read or refused, and no refusal holds what a form says', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'grant_type=',
      'password',
      'refresh_token',
      'username=',
      'scope=',
      '&',
      '%',
      '%zz',
      'ns=',
      '+',
    ),
    fc.string({ unit: 'binary' }),
  );
  const text = fc.array(piece).map((pieces) => pieces.join(''));
  await fc.assert(
    fc.asyncProperty(text, text, fc.boolean(), async (query, body, isForm) => {
      const incoming = isForm
        ? post(`${body}&password=hunter2`, `/token?${query}`)
        : request('GET', `/token?${query}`);
      const refusal = await read(incoming).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal === undefined) return;
      expect(refusal).toBeInstanceOf(RegistryError);
      expect((refusal as RegistryError).message).not.toContain('hunter2');
    }),
  );
});
