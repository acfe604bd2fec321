import type { ServerResponse } from 'node:http';
import { Hono, type Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { OperatorError, type OperatorErrorCode } from '../../operator/error.ts';
import type { Operator, VerifyRequest } from '../../operator/operator.ts';

type Bindings = { Bindings: HttpBindings };

const STATUS: Readonly<Record<OperatorErrorCode, 400 | 404 | 429 | 500>> = {
  invalid: 400,
  unknown: 404,
  busy: 429,
  failed: 500,
};

const MAX_PAGE = 1000;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Makes the API that the command line uses on a running server: an operator's commands, as JSON under `/api/v1/`. It
 * has no access control: a program that may connect to its socket may do everything.
 */
export function createControl(operator: Operator): Hono<Bindings> {
  const app = new Hono<Bindings>();
  app.get('/api/v1/stats', async (c) => c.json(await operator.stats()));
  app.get('/api/v1/repositories', async (c) => c.json(await operator.repositories(pageOf(c))));
  app.get('/api/v1/tags', async (c) =>
    c.json(await operator.tags(c.req.query('repository') ?? '', pageOf(c))),
  );
  app.get('/api/v1/pins', async (c) => c.json(await operator.pins(pageOf(c))));
  app.post('/api/v1/delete', async (c) => c.json(await operator.remove(await referenceOf(c))));
  app.post('/api/v1/pin', async (c) => c.json(await operator.pin(await referenceOf(c))));
  app.post('/api/v1/unpin', async (c) => c.json(await operator.unpin(await referenceOf(c))));
  app.post('/api/v1/verify', async (c) => {
    await streamVerify(operator, verifyRequestOf(await bodyOf(c)), c.env.outgoing);
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
  readonly code: OperatorErrorCode;
  readonly message: string;
}

function renderError(error: unknown): RenderedError {
  if (error instanceof OperatorError) return { code: error.code, message: error.message };
  return { code: 'failed', message: 'internal error' };
}

/** Sends a line of JSON for each event as it happens; the last line is the report, or why there is none. */
async function streamVerify(
  operator: Operator,
  request: VerifyRequest,
  response: ServerResponse,
): Promise<void> {
  // An operator whose client went away does not want the report any more.
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  response.flushHeaders();
  const write = (line: object): unknown => response.write(`${JSON.stringify(line)}\n`);
  try {
    const report = await operator.verify(request, write, closed.signal);
    write({ kind: 'report', ...report });
  } catch (error) {
    write({ kind: 'error', ...renderError(error) });
  }
  response.end();
}

function pageOf(c: Context<Bindings>): { after: string | undefined; limit: number } {
  const limit = c.req.query('limit') ?? String(MAX_PAGE);
  if (!/^\d{1,9}$/.test(limit)) throw new OperatorError('invalid', 'limit is no whole number');
  return { after: c.req.query('after'), limit: Math.min(Number(limit), MAX_PAGE) };
}

async function referenceOf(c: Context<Bindings>): Promise<string> {
  const { reference } = await bodyOf(c);
  if (typeof reference === 'string') return reference;
  throw new OperatorError('invalid', 'expected a reference');
}

function verifyRequestOf({ repair = false, bytesPerSecond }: Record<string, unknown>): VerifyRequest {
  const isRate =
    bytesPerSecond === undefined || (Number.isSafeInteger(bytesPerSecond) && Number(bytesPerSecond) > 0);
  if (typeof repair !== 'boolean' || !isRate) {
    throw new OperatorError('invalid', 'expected repair as a boolean and bytesPerSecond as a whole number');
  }
  return { repair, bytesPerSecond: bytesPerSecond === undefined ? undefined : Number(bytesPerSecond) };
}

async function bodyOf(c: Context<Bindings>): Promise<Record<string, unknown>> {
  if (Number(c.req.header('Content-Length') ?? Infinity) > MAX_BODY_BYTES) {
    throw new OperatorError('invalid', `expected a body of at most ${MAX_BODY_BYTES} bytes`);
  }
  try {
    const body: unknown = await c.req.json();
    if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  } catch {
    // The error below says so.
  }
  throw new OperatorError('invalid', 'expected a JSON object');
}
