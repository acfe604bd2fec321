import { once } from 'node:events';
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { run } from './process.ts';

/** The account that may have a token; all of the registry's fixtures use this one. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** A token server as the distribution token specification has it; the registry behind trusts its certificate. */
export interface TokenServer extends AsyncDisposable {
  readonly url: string;
  readonly issuer: string;
  readonly service: string;
  /** PEM, for the registry's `rootcertbundle`. */
  readonly certificateFile: string;
  /** The scopes of the tokens handed out so far. */
  readonly granted: readonly string[];
}

export interface TokenServerOptions {
  /** The directory for the key and its certificate. */
  readonly directory: string;
  readonly account: Account;
  /** Lifetime of a token, seconds. Default: 300. */
  readonly expiresIn?: number;
}

export async function tokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const issuer = 'test token server';
  const service = 'test registry';
  const signer = await createSigner(options.directory, issuer, service, options.expiresIn ?? 300);
  const granted: string[] = [];
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing, { account: options.account, signer, granted });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    issuer,
    service,
    certificateFile: signer.certificateFile,
    granted,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

interface Signer {
  readonly certificateFile: string;
  readonly expiresIn: number;
  sign(subject: string, access: readonly Access[]): Promise<string>;
}

/** Signs with RS256 and the chain in `x5c`, which distribution 2.8 checks without a key id of its own format. */
async function createSigner(
  directory: string,
  issuer: string,
  service: string,
  expiresIn: number,
): Promise<Signer> {
  const keyFile = join(directory, 'token-key.pem');
  const certificateFile = join(directory, 'token-certificate.pem');
  const subject = ['-subj', '/CN=test token server', '-days', '2'];
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile];
  await run('openssl', ['req', '-x509', ...key, ...subject, '-out', certificateFile]);
  const privateKey = createPrivateKey(await readFile(keyFile));
  const chain = [new X509Certificate(await readFile(certificateFile)).raw.toString('base64')];
  return {
    certificateFile,
    expiresIn,
    sign: async (account, access) =>
      new SignJWT({ access })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', x5c: chain })
        .setIssuer(issuer)
        .setAudience(service)
        .setSubject(account)
        .setIssuedAt()
        .setNotBefore('-5s')
        .setExpirationTime(`${expiresIn}s`)
        .setJti(randomUUID())
        .sign(privateKey),
  };
}

interface Granting {
  readonly account: Account;
  readonly signer: Signer;
  readonly granted: string[];
}

/** Answers only GET, as many servers do: POST is 405, and the client falls back. Grants every scope. */
async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { account, signer, granted }: Granting,
): Promise<void> {
  if (incoming.method !== 'GET') return void outgoing.writeHead(405).end();
  const expected = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  if (incoming.headers.authorization !== `Basic ${expected}`) return void outgoing.writeHead(401).end();
  const scopes = new URL(incoming.url ?? '/', 'http://token').searchParams.getAll('scope');
  const access = scopes.flatMap((scope) => scope.split(' ')).filter((scope) => scope !== '');
  granted.push(...access);
  const token = await signer.sign(account.username, access.map(parseScope));
  outgoing
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ token, expires_in: signer.expiresIn }));
}

/** `type:name:actions`; the name may hold colons (distribution, docs/spec/auth/scope.md). */
function parseScope(scope: string): Access {
  const first = scope.indexOf(':');
  const last = scope.lastIndexOf(':');
  return {
    type: scope.slice(0, first),
    name: scope.slice(first + 1, last),
    actions: scope.slice(last + 1).split(','),
  };
}
