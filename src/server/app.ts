import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Endpoint, type EndpointOptions } from './endpoint.ts';
import { toOriginForm } from './origin-form.ts';
import type { RequestRecord } from './request-record.ts';
import { splitUrl } from './split-url.ts';
import { isV2Path } from './v2-path.ts';

/** What the operator's tools ask for. */
interface Health {
  /** Rejects, with the reason, while no by-tag read can be served. */
  readonly probe: () => Promise<void>;
  /** What stands in the way of new pulls without making the cached ones fail: JSON, shown by `/readyz`. */
  readonly detail: () => Readonly<Record<string, unknown>>;
  /** The metrics as text, and their content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface AppOptions extends EndpointOptions {
  readonly health: Health;
}

/** What node's requests are given to. */
export interface App {
  /** Answers a request; its record is told when the response is over. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse, record: RequestRecord): void;
  /** To be called when a response is over. */
  release(record: RequestRecord): void;
}

type Routes = Hono<{ Bindings: HttpBindings }>;

/**
 * The routes: the registry under `/v2/` (and `/<upstream>/v2/`), `/livez`, `/readyz`, `/metrics`. What the registry
 * can answer at once does not come as far as them: docs/adr/0009.
 */
export function createApp(options: AppOptions): App {
  const { records, health } = options;
  const endpoint = new Endpoint(options);
  const routes: Routes = new Hono();
  addHealth(routes, health);
  routes.all('*', async (c) => {
    const { incoming, outgoing } = c.env;
    // Hono's path is decoded and normalised; what was really asked is on the incoming message.
    if (!isV2Path(splitUrl(incoming.url ?? '').path)) return c.notFound();
    await endpoint.answer(incoming, outgoing, records.of(incoming));
    return RESPONSE_ALREADY_SENT;
  });
  routes.onError((error, c) => {
    records.of(c.env.incoming).error = error;
    return c.text('internal error\n', 500);
  });
  routes.notFound((c) => c.text('not found: the registry is under /v2/\n', 404));
  const listener = getRequestListener(routes.fetch, { overrideGlobalObjects: false });
  return {
    handle(incoming, outgoing, record) {
      toOriginForm(incoming);
      if (endpoint.answerNow(incoming, outgoing, record)) return;
      records.keep(incoming, record);
      void listener(incoming, outgoing);
    },
    release: (record) => endpoint.release(record),
  };
}

function addHealth(routes: Routes, { probe, detail, metrics }: Health): void {
  routes.get('/livez', (c) => c.text('ok\n'));
  routes.get('/readyz', async (c) => {
    try {
      await probe();
      return c.json({ status: 'ready', ...detail() });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return c.json({ status: 'not ready', reason, ...detail() }, 503);
    }
  });
  routes.get('/metrics', async (c) => {
    const { contentType, text } = await metrics();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
}
