import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import type { FetchDocument } from '../../access/oidc/fetch-document.ts';
import { IssuerError } from '../../access/oidc/issuer-error.ts';
import { proxyAuthorization, type ProxyFor } from '../../upstream/connections/proxy.ts';
import { systemContext, type CertificateFile } from '../../upstream/connections/trust.ts';
import { CredentialError } from '../../upstream/credentials/credentials.ts';
import { classifyNetworkError } from '../../upstream/transport/classify.ts';

export interface FetchDocumentOptions {
  readonly userAgent: string;
  /** Certificates trusted besides the system's. They are read for each document, so that a renewed file counts. */
  readonly ca: Pick<CertificateFile, 'read'> | undefined;
  readonly proxyFor: ProxyFor;
}

/** The longest wait for a connection, milliseconds. It only ends sockets of requests that have ended themselves. */
const CONNECT_MS = 10_000;

/**
 * Makes a function that fetches documents, each by a connection of its own: an issuer is asked about once an hour. The
 * addresses of its host are not judged as those of an upstream are: no answer of another host can choose them, since
 * the operator names the issuer and no redirect is followed, and the issuers of many clusters have private ones.
 */
export function documentFetcher(options: FetchDocumentOptions): FetchDocument {
  return async ({ url, authorization, maxBytes, signal }) => {
    const dispatcher = await dispatcherFor(url, options);
    const account = authorization === undefined ? {} : { authorization };
    const headers = { accept: 'application/json', 'user-agent': options.userAgent, ...account };
    try {
      const answer = await request(url, { dispatcher, signal, headers });
      if (answer.statusCode !== 200) throw new IssuerError(`${url.host} answered ${answer.statusCode}`);
      const bytes = await readWhole(answer.body, maxBytes, url);
      return { bytes, cacheControl: [answer.headers['cache-control'] ?? []].flat().join(', ') };
    } catch (error) {
      throw signal.aborted ? signal.reason : described(error, url);
    } finally {
      await dispatcher.destroy();
    }
  };
}

async function dispatcherFor(url: URL, { ca, proxyFor }: FetchDocumentOptions): Promise<Dispatcher> {
  const tls = { secureContext: systemContext(await ca?.read()), timeout: CONNECT_MS };
  // The deadline is the caller's, by Larder's clock.
  const shared = { allowH2: false, headersTimeout: 0, bodyTimeout: 0, pipelining: 0 };
  const proxy = proxyFor(url);
  if (proxy === undefined) return new Agent({ ...shared, connect: tls });
  const token = await proxyAuthorization(proxy);
  const account = token === undefined ? {} : { token };
  return new ProxyAgent({ ...shared, uri: proxy.url.href, ...account, requestTls: tls, proxyTls: tls });
}

/** @throws IssuerError if the body is longer than `maxBytes` */
async function readWhole(body: Dispatcher.ResponseData['body'], maxBytes: number, url: URL): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new IssuerError(`${url.host} answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function described(error: unknown, url: URL): unknown {
  if (error instanceof IssuerError || error instanceof CredentialError) return error;
  return new IssuerError(`${url.host}: ${classifyNetworkError(error).message}`, { cause: error });
}
