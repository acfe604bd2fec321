import type { ServerResponse } from 'node:http';
import { Hono, type Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { MaintenanceError, type MaintenanceErrorCode } from '../maintenance/error.ts';
import type { Maintenance, VerifyRequest } from '../maintenance/maintenance.ts';

type Bindings = { Bindings: HttpBindings };

const STATUS: Readonly<Record<MaintenanceErrorCode, 400 | 404 | 500>> = {
  invalid: 400,
  unknown: 404,
  failed: 500,
};

const MAX_PAGE = 1000;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * What the command line asks of the running server: the maintenance of its cache, as JSON under `/api/v1/`. There is
 * no access control in it: whoever may connect to the socket that it is served on may do everything.
 */
export function createControl(maintenance: Maintenance): Hono<Bindings> {
  const app = new Hono<Bindings>();
  app.get('/api/v1/stats', async (c) => c.json(await maintenance.stats()));
  app.get('/api/v1/repositories', async (c) => c.json(await maintenance.repositories(pageOf(c))));
  app.get('/api/v1/tags', async (c) =>
    c.json(await maintenance.tags(c.req.query('repository') ?? '', pageOf(c))),
  );
  app.get('/api/v1/pins', async (c) => c.json(await maintenance.pins(pageOf(c))));
  app.post('/api/v1/delete', async (c) => c.json(await maintenance.remove(await referenceOf(c))));
  app.post('/api/v1/pin', async (c) => c.json(await maintenance.pin(await referenceOf(c))));
  app.post('/api/v1/unpin', async (c) => c.json(await maintenance.unpin(await referenceOf(c))));
  app.post('/api/v1/verify', async (c) => {
    await streamVerify(maintenance, verifyRequestOf(await bodyOf(c)), c.env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  app.notFound((c) => c.json({ error: { code: 'invalid', message: 'there is no such operation' } }, 404));
  app.onError((error, c) => {
    const rendered = renderError(error);
    return c.json({ error: rendered }, STATUS[rendered.code]);
  });
  return app;
}

interface RenderedError {
  readonly code: MaintenanceErrorCode;
  readonly message: string;
}

function renderError(error: unknown): RenderedError {
  if (error instanceof MaintenanceError) return { code: error.code, message: error.message };
  return { code: 'failed', message: 'internal error' };
}

/** A line of JSON for each thing that happens, as it happens; the last one is the report, or why there is none. */
async function streamVerify(
  maintenance: Maintenance,
  request: VerifyRequest,
  response: ServerResponse,
): Promise<void> {
  // Who started it and went away does not want it any more.
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  response.flushHeaders();
  const write = (line: object): unknown => response.write(`${JSON.stringify(line)}\n`);
  try {
    const report = await maintenance.verify(request, write, gone.signal);
    write({ kind: 'report', ...report });
  } catch (error) {
    write({ kind: 'error', ...renderError(error) });
  }
  response.end();
}

function pageOf(c: Context<Bindings>): { after: string | undefined; limit: number } {
  const limit = c.req.query('limit') ?? String(MAX_PAGE);
  if (!/^\d{1,9}$/.test(limit)) throw new MaintenanceError('invalid', 'limit is no whole number');
  return { after: c.req.query('after'), limit: Math.min(Number(limit), MAX_PAGE) };
}

async function referenceOf(c: Context<Bindings>): Promise<string> {
  const { reference } = await bodyOf(c);
  if (typeof reference === 'string') return reference;
  throw new MaintenanceError('invalid', 'expected a reference');
}

function verifyRequestOf({ repair = false, bytesPerSecond }: Record<string, unknown>): VerifyRequest {
  const isRate =
    bytesPerSecond === undefined || (Number.isSafeInteger(bytesPerSecond) && Number(bytesPerSecond) > 0);
  if (typeof repair !== 'boolean' || !isRate) {
    throw new MaintenanceError(
      'invalid',
      'expected repair as a boolean and bytesPerSecond as a whole number',
    );
  }
  return { repair, bytesPerSecond: bytesPerSecond === undefined ? undefined : Number(bytesPerSecond) };
}

async function bodyOf(c: Context<Bindings>): Promise<Record<string, unknown>> {
  if (Number(c.req.header('Content-Length') ?? Infinity) > MAX_BODY_BYTES) {
    throw new MaintenanceError('invalid', `expected a body of at most ${MAX_BODY_BYTES} bytes`);
  }
  try {
    const body: unknown = await c.req.json();
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new MaintenanceError('invalid', 'expected a JSON object');
}
