import type { JSONWebKeySet } from 'jose';
import { abortable } from '../../async/abortable.ts';
import type { Clock } from '../../clock.ts';
import { maxAgeOf } from '../../http/cache-control.ts';
import { discoveryUrl, readJwksUrl } from './discovery.ts';
import type { FetchDocument, FetchedDocument } from './fetch-document.ts';
import { IssuerError } from './issuer-error.ts';
import { readKeySet } from './key-set.ts';
import type { OidcSettings } from './settings.ts';

/** Most bytes of a document. The certificates that some issuers add to their keys make it a few KiB. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;

/** How long a client waits for an issuer, for both of its documents together. */
const DEADLINE_MS = 10_000;

export interface KeyFetcherOptions {
  readonly settings: Pick<OidcSettings, 'issuer' | 'jwksUrl'>;
  readonly fetch: FetchDocument;
  /** Reads the bearer token for the issuer's documents. It is read for each fetch, since Kubernetes rotates it. */
  readonly readToken?: (() => Promise<string>) | undefined;
  readonly clock: Clock;
  /** Ends a fetch that is under way. */
  readonly ending: AbortSignal;
}

export interface FetchedKeys {
  readonly keys: JSONWebKeySet;
  /** How long the issuer calls them fresh, milliseconds; undefined: it does not say. */
  readonly freshMs: number | undefined;
}

/** Fetches the keys of one issuer. It remembers nothing. */
export class KeyFetcher {
  readonly #options: KeyFetcherOptions;

  constructor(options: KeyFetcherOptions) {
    this.#options = options;
  }

  /** @throws IssuerError; the network's error; the reason of the signal `ending` */
  async fetch(): Promise<FetchedKeys> {
    const { clock, ending } = this.#options;
    const late = new AbortController();
    const cancel = clock.after(DEADLINE_MS, () =>
      late.abort(new IssuerError(`it did not answer within ${DEADLINE_MS / 1000} seconds`)),
    );
    const signal = AbortSignal.any([late.signal, ending]);
    try {
      return await abortable(this.#fetch(signal), signal);
    } finally {
      cancel();
    }
  }

  async #fetch(signal: AbortSignal): Promise<FetchedKeys> {
    const { settings, fetch, readToken } = this.#options;
    const { issuer, jwksUrl } = settings;
    const token = await readToken?.();
    const authorization = token === undefined ? undefined : `Bearer ${token}`;
    const get = (url: URL): Promise<FetchedDocument> =>
      fetch({ url, authorization, maxBytes: MAX_DOCUMENT_BYTES, signal });
    // The issuer has got the token already when it says where its keys are, so it gets nothing new there.
    const url = jwksUrl ?? readJwksUrl((await get(discoveryUrl(issuer))).bytes, issuer);
    const { bytes, cacheControl } = await get(url);
    const maxAge = maxAgeOf(cacheControl);
    return { keys: readKeySet(bytes), freshMs: maxAge && maxAge * 1000 };
  }
}
