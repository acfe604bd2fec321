import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatReasonPhrase } from '../http/reason-phrase.ts';
import { RegistryError } from '../oci/error.ts';
import { NO_SNIFF } from './common-headers.ts';
import { Endpoint, type EndpointOptions } from './endpoint.ts';
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
  /** The metrics as text, and their content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface AppOptions extends EndpointOptions {
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
 * Makes the routes: the registry under `/v2/` (and `/<upstream>/v2/`), `/livez`, `/readyz`, `/metrics`. Requests for
 * the registry do not pass through Hono, which decodes and normalises paths; requests that the registry can answer at
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
      if (route === 'registry') return void endpoint.answer(incoming, outgoing, record);
      records.keep(incoming, record);
      outgoing.setHeader(...NO_SNIFF);
      void pages(incoming, outgoing);
    },
    beNotReady: () => (isStopping = true),
    release: (record) => endpoint.release(record),
    get serving() {
      return options.admission.running;
    },
  };
}

function createPages({ records, health }: AppOptions): Pages {
  const routes: Pages = new Hono();
  addHealth(routes, health);
  routes.onError((error, c) => {
    records.of(c.env.incoming).error = error;
    return c.text('internal error\n', 500);
  });
  routes.notFound((c) => c.text('not found: the registry is under /v2/\n', 404));
  return routes;
}

function addHealth(routes: Pages, { probe, detail, metrics }: Health): void {
  routes.get('/livez', (c) => c.text('ok\n'));
  routes.get('/readyz', async (c) => {
    try {
      await probe();
      return c.json({ status: 'ready', ...detail() });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      c.env.outgoing.statusMessage = formatReasonPhrase(reason);
      return c.json({ status: 'not ready', reason, ...detail() }, 503);
    }
  });
  let running: ReturnType<typeof metrics> | undefined;
  routes.get('/metrics', async (c) => {
    // Metrics cost milliseconds to make: requests at the same time share one text.
    running ??= metrics().finally(() => (running = undefined));
    const { contentType, text } = await running;
    return c.body(text, 200, { 'Content-Type': contentType });
  });
}
