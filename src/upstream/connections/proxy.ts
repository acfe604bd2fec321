import { CredentialError, basicAuthorization, type CredentialSource } from '../credentials/credentials.ts';

/** An HTTP proxy between Larder and an upstream. */
export interface Proxy {
  /** Scheme, host and port. */
  readonly url: URL;
  readonly credentials?: CredentialSource | undefined;
}

/** Returns the proxy that a request to a URL goes through; undefined if it goes through none. */
export type ProxyFor = (target: URL) => Proxy | undefined;

/** Returns the value of Proxy-Authorization. @throws CredentialError whose message names the proxy */
export async function proxyAuthorization({ url, credentials }: Proxy): Promise<string | undefined> {
  try {
    const account = await credentials?.get();
    return account === undefined ? undefined : basicAuthorization(account);
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new CredentialError(`of the proxy ${url.host}: ${error.message}`, { cause: error });
  }
}

/** Returns a message for a proxy's own refusal, as undici reports it; undefined for other errors. */
export function proxyRefusal(error: unknown): string | undefined {
  const { message } = error instanceof Error ? error : { message: '' };
  const [, tunnel, plain] =
    /^Proxy response \((\d{3})\) !== 200|^Proxy Authentication Required \((\d{3})\)/.exec(message) ?? [];
  const status = tunnel ?? plain;
  if (status === undefined) return undefined;
  return `the proxy answered ${status}${status === '407' ? ', look at its account' : ''}`;
}
