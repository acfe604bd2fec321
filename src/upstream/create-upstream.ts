import { AccountStanding } from './auth/account-standing.ts';
import { Authorizer } from './auth/authorizer.ts';
import { TokenClient } from './auth/token-client.ts';
import { BlobFetcher } from './registry/blob-fetcher.ts';
import { CatalogLister } from './registry/catalog-lister.ts';
import { RegistryClient } from './registry/registry-client.ts';
import { ManifestFetcher } from './registry/manifest-fetcher.ts';
import { systemNetwork, type Network } from './connections/network.ts';
import type { Passage } from './transport/passage.ts';
import { inlineParser, type Parser } from './registry/parsing/parser.ts';
import { quirksOf } from './quirks.ts';
import { ReferrerLister } from './registry/referrer-lister.ts';
import { Reporter } from './transport/reporter.ts';
import type { UpstreamSettings } from './settings.ts';
import { TagLister } from './registry/tag-lister.ts';
import { Transport, type TransportDeps } from './transport/transport.ts';
import type { MakeContext } from './connections/trust.ts';
import type { AskedUpstream } from './upstream.ts';

export interface UpstreamDeps extends Pick<TransportDeps, 'clock' | 'events' | 'connections' | 'large'> {
  /** Absent: the machine's own network. */
  readonly network?: Network;
  readonly makeContext?: MakeContext | undefined;
  /** Absent: requests carry no Via header. */
  readonly passage?: Pick<Passage, 'via'> | undefined;
  /** Absent: documents are parsed in this thread. */
  readonly parser?: Parser;
}

/**
 * Creates the client of one remote registry. It connects to nothing before the first call. Parts that look at outcomes
 * and not at the wire, such as the breaker, wrap the Upstream that this returns.
 */
export function createUpstream(settings: UpstreamSettings, deps: UpstreamDeps): AskedUpstream {
  const { name: upstream, url, credentials, trustedRealms = [] } = settings;
  const { network = systemNetwork, clock, parser = inlineParser } = deps;
  const reporter = new Reporter(upstream, deps);
  const transport = new Transport(settings, { ...deps, network });
  const send = transport.send.bind(transport);
  const tokenClient = new TokenClient({ upstream, clock, send, reporter });
  const standing = new AccountStanding(upstream, deps);
  const account = { credentials, trustedRealms, standing };
  const authorizer = new Authorizer({ upstream, url, ...account, clock, send, tokenClient, reporter });
  const quirks = quirksOf(url.hostname);
  const { countsPulls } = quirks;
  const client = new RegistryClient({ upstream, url, clock, authorizer, reporter, countsPulls });
  const manifests = new ManifestFetcher({ upstream, client, parser });
  const blobs = new BlobFetcher({ upstream, client, quirks, reporter });
  const tags = new TagLister({ upstream, client, quirks, parser });
  const catalog = new CatalogLister({ upstream, client });
  const referrers = new ReferrerLister({ upstream, client, manifests, clock, parser });
  return {
    name: upstream,
    resolve: manifests.resolve.bind(manifests),
    manifest: manifests.fetch.bind(manifests),
    blob: blobs.fetch.bind(blobs),
    statBlob: blobs.stat.bind(blobs),
    tags: tags.page.bind(tags),
    referrers: referrers.list.bind(referrers),
    catalog: catalog.page.bind(catalog),
    rateLimit: () => reporter.lastRateLimit,
    accountRefusal: () => standing.refusal,
    close: transport.close.bind(transport),
  };
}
