import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessError } from '../access/access-error.ts';
import type { Gate } from '../access/gate.ts';
import { formatReasonPhrase } from '../http/reason-phrase.ts';
import { RegistryError } from '../oci/error.ts';
import { BASE as API_BASE } from '../api/contract/routes.ts';
import { answerOverHttp, type HttpDoorOptions } from './api/http-door.ts';
import { privacyOf } from './cache-privacy.ts';
import { NO_SNIFF } from './common-headers.ts';
import { Endpoint, type EndpointOptions } from './endpoint.ts';
import { identify } from './request/identify.ts';
import { refusePage } from './page-refusal.ts';
import { isOnThisMachine } from './request/peer.ts';
import { toOriginForm } from './request/origin-form.ts';
import type { RequestRecord } from './request/request-record.ts';
import { pathKind } from './path-kind.ts';
import { splitUrl } from './request/split-url.ts';

/** The answers to an operator's tools. */
interface Health {
  /** Rejects, with the reason, while no read by tag can be served. */
  readonly probe: () => Promise<void>;
  /** Problems that stop new pulls but not cached ones: JSON, shown by `/readyz`. */
  readonly detail: () => Readonly<Record<string, unknown>>;
  /** Whether only clients on this machine may read the metrics, since no rule says who may. */
  readonly areMetricsLocal: boolean;
  /** The metrics as text, and their content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface AppOptions extends EndpointOptions {
  readonly api: HttpDoorOptions;
  readonly gate: Gate;
  readonly health: Health;
}

/** Handles the requests that node's server receives. */
export interface App {
  /** Answers a request; its record is told when the response is over. */
  handle(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    record: RequestRecord,
    mayAsk: 'all' | 'health',
  ): void;
  /** Stops counting a request for the limits. The caller calls it when the response is over. */
  release(record: RequestRecord): void;
  /** Number of registry requests that are being served. */
  readonly serving: number;
  /** Makes `/readyz` say from now on that the server is stopping. */
  beNotReady(): void;
}

const NO_PATH = new RegistryError(
  'NAME_INVALID',
  'the path is none of this server; the registry is under /v2/',
);
/** Node also accepts requests of HTTP/0.9 (which end with their first line) and requests that claim HTTP/2. */
const NO_VERSION = new RegistryError('NAME_INVALID', 'expected a request of HTTP/1.1 or HTTP/1.0');

const NO_ROOM = new RegistryError('UNAVAILABLE', 'too many connections at the same time');

/** The paths that a connection of the reserve may ask for. */
const HEALTH_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

type Pages = Hono<{ Bindings: HttpBindings }>;

/**
 * Makes the routes: the registry under `/v2/` (and `/<upstream>/v2/`), `/token`, `/api/v1/`, `/livez`, `/readyz`, `/metrics`.
 * Requests for the registry do not pass through Hono, which decodes and normalises paths; requests that the registry can answer at
 * once take the shortest way (docs/adr/0009).
 */
export function createApp(options: AppOptions): App {
  const { records } = options;
  const endpoint = new Endpoint(options);
  let isStopping = false;
  const probe = async (): Promise<void> => {
    if (isStopping) throw new Error('stopping');
    await options.health.probe();
  };
  const routes = createPages({ ...options, health: { ...options.health, probe } });
  const pages = getRequestListener(routes.fetch, { overrideGlobalObjects: false });
  return {
    handle(incoming, outgoing, record, mayAsk) {
      toOriginForm(incoming);
      if (incoming.httpVersionMajor !== 1) return endpoint.refuse(outgoing, record, NO_VERSION);
      if (mayAsk === 'all' && endpoint.answerNow(incoming, outgoing, record)) return;
      const { path } = splitUrl(incoming.url ?? '');
      if (mayAsk === 'health' && !HEALTH_PATHS.has(path)) return endpoint.refuse(outgoing, record, NO_ROOM);
      const route = pathKind(path);
      if (route === 'none') return endpoint.refuse(outgoing, record, NO_PATH);
      if (route !== 'page') return void endpoint.answer(route, incoming, outgoing, record);
      records.keep(incoming, record);
      outgoing.setHeader(...NO_SNIFF);
      if (path.startsWith(`${API_BASE}/`)) {
        record.served = answerOverHttp(options.api, incoming, outgoing, record);
        return;
      }
      void pages(incoming, outgoing);
    },
    beNotReady() {
      isStopping = true;
      // A client of the events would stay as long as the server lets it.
      options.api.api.close();
    },
    release: (record) => endpoint.release(record),
    get serving() {
      return options.admission.running;
    },
  };
}

function createPages(options: AppOptions): Pages {
  const routes: Pages = new Hono();
  addHealth(routes, options);
  addMetrics(routes, options);
  routes.onError((error, c) => {
    options.records.of(c.env.incoming).error = error;
    if (!(error instanceof AccessError)) return c.text('internal error\n', 500);
    const { status, headers, text } = refusePage(error);
    return c.body(text, status, headers);
  });
  routes.notFound((c) => c.text('not found: the registry is under /v2/\n', 404));
  return routes;
}

/** Every client may ask for health: a load balancer and a kubelet have no credentials. */
function addHealth(routes: Pages, { gate, records, health: { probe, detail } }: AppOptions): void {
  routes.get('/livez', (c) => c.text('ok\n'));
  routes.get('/readyz', async (c) => {
    const { incoming, outgoing } = c.env;
    const tells = await mayReadDetails(gate, incoming, records.of(incoming));
    try {
      await probe();
      return c.json({ status: 'ready', ...(tells && detail()) });
    } catch (error) {
      if (!tells) return c.json({ status: 'not ready' }, 503);
      const reason = error instanceof Error ? error.message : String(error);
      outgoing.statusMessage = formatReasonPhrase(reason);
      return c.json({ status: 'not ready', reason, ...detail() }, 503);
    }
  });
}

/** Details name upstreams, and reasons quote them: where some repositories are closed, metrics' readers get them. */
async function mayReadDetails(
  gate: Gate,
  incoming: IncomingMessage,
  record: RequestRecord,
): Promise<boolean> {
  if (!gate.isClosed) return true;
  // Wrong credentials are no credentials here.
  const identity = await identify(gate.authentication, incoming, record).catch(() => undefined);
  return identity !== undefined && gate.allows(identity, 'metrics', undefined);
}

function addMetrics(
  routes: Pages,
  { gate, records, health: { metrics, areMetricsLocal } }: AppOptions,
): void {
  let running: ReturnType<typeof metrics> | undefined;
  routes.get('/metrics', async (c) => {
    const { incoming } = c.env;
    const record = records.of(incoming);
    record.action = 'metrics';
    // Larder may listen to this machine alone, and a proxy on it ask for others.
    if (areMetricsLocal && !isOnThisMachine(record.client))
      throw new AccessError('no-credentials', 'authentication required');
    gate.assertAllowed(await identify(gate.authentication, incoming, record), 'metrics', undefined);
    // Metrics cost milliseconds to make: requests at the same time share one text.
    running ??= metrics().finally(() => (running = undefined));
    const { contentType, text } = await running;
    return c.body(text, 200, { 'Content-Type': contentType, ...privacyOf(record.principal) });
  });
}
