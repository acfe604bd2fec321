import { randomBytes, randomUUID } from 'node:crypto';
import type { Mirror } from '../mirror/mirror.ts';
import type { Clock } from '../clock.ts';
import type { Api } from '../api/api.ts';
import type { Deliver } from '../delivery/deliver.ts';
import type { Events } from '../events.ts';
import type { Admission } from '../server/admission.ts';
import type { RepositoryTable } from '../repository/repository-table.ts';
import { createApp } from '../server/app.ts';
import type { ServerAddress } from '../server/listening/bind.ts';
import type { ConnectionLimits } from '../server/listening/connections.ts';
import { listen, type Listening } from '../server/listening/listen.ts';
import type { LoopGuard } from '../server/v2/loop-guard.ts';
import { Registry } from '../server/v2/registry.ts';
import { peerNaming } from '../server/request/peer.ts';
import { PublicUrl } from '../server/request/public-url.ts';
import { RequestRecords } from '../server/request/request-record.ts';
import { TrustedProxies } from '../server/request/trusted-proxies.ts';
import { TokenEndpoint } from '../server/token/token-endpoint.ts';
import type { Access } from './access/access.ts';
import { tlsFiles, type TlsPaths } from './tls-files.ts';
import { upstreamDetail, type ConfiguredUpstream } from './upstreams.ts';

/** Durations in milliseconds. */
export interface ServerSettings {
  readonly listen: ServerAddress;
  /** Absent: the server speaks http. */
  readonly tls?: TlsPaths | undefined;
  readonly limits: Omit<ConnectionLimits, 'reserve'> & {
    /** The longest that a client may take to send its request. */
    readonly headerTimeoutMs: number;
    /** The longest that a client may take nothing of an answer. */
    readonly idleTimeoutMs: number;
  };
  readonly trustedProxies: readonly string[];
  /** Absent: no rule says who may read the metrics, so that only this machine may. */
  readonly access?: object | undefined;
  /** The URL by which clients reach Larder; absent: each request tells it. */
  readonly publicUrl?: URL | undefined;
  /** The longest that a client waits for the headers of an answer. */
  readonly answerMs: number;
}

export interface ServerParts {
  readonly clock: Clock;
  readonly events: Events;
  readonly mirror: Mirror;
  readonly repositories: RepositoryTable;
  readonly upstreams: readonly ConfiguredUpstream[];
  readonly admission: Admission;
  readonly passage: LoopGuard;
  readonly access: Access;
  readonly api: Api;
  readonly deliver: Deliver;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Makes the ids of requests in the log. Absent: random ones. */
  readonly requestId?: () => string;
}

/** Requests for tokens may take a quarter of all that are served at the same time. */
const TOKEN_SHARE = 4;

/**
 * Starts everything between a socket and the mirror.
 * @throws the system's error if the address cannot be listened on; Error if the files of `tls` cannot be used
 */
export async function startServer(settings: ServerSettings, parts: ServerParts): Promise<Listening> {
  const { answerMs, limits, trustedProxies } = settings;
  const { clock, events, mirror, repositories, upstreams, admission, passage, deliver, metrics } = parts;
  const { gate, login, tokens } = parts.access;
  const proxies = new TrustedProxies(trustedProxies);
  const records = new RequestRecords(clock, events, parts.requestId ?? randomUUID, proxies);
  const app = createApp({
    registry: new Registry(repositories, {
      clock,
      passage,
      gate,
      publicUrl: new PublicUrl(settings.publicUrl?.href, proxies, peerNaming('path' in settings.listen)),
      answerMs,
      randomBytes,
      catalog: (query, isShown) => mirror.catalog(query, isShown),
    }),
    tokens: new TokenEndpoint({
      login,
      gate,
      tokens,
      repositories,
      admission: admission.part(TOKEN_SHARE),
    }),
    records,
    gate,
    api: { api: parts.api, gate, hasRules: settings.access !== undefined },
    health: {
      probe: () => mirror.probe(),
      metrics,
      areMetricsLocal: settings.access === undefined,
      detail: () => ({
        disk: mirror.disk.state,
        upstreams: upstreamDetail(upstreams, (name) => mirror.isSlow(name)),
      }),
    },
    admission,
    idleMs: limits.idleTimeoutMs,
    deliver,
  });
  const tls = settings.tls && tlsFiles(settings.tls);
  return listen({ app, records, proxies, clock, events, address: settings.listen, tls, limits });
}
