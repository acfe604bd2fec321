import type { ServerResponse, IncomingMessage } from 'node:http';
import { Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Clock } from '../clock.ts';
import type { Deliver, Delivered } from '../delivery/deliver.ts';
import type { Admission } from './admission.ts';
import { statusOfError } from './cache-status.ts';
import { withCommonHeaders } from './common-headers.ts';
import { errorReply, overloadReply } from './error-reply.ts';
import type { Registry } from './registry.ts';
import { splitUrl } from './registry.ts';
import { sendReply, type Reply } from './reply.ts';
import type { RequestRecord, RequestRecords } from './request-record.ts';
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

export interface AppOptions {
  readonly registry: Pick<Registry, 'reply'>;
  readonly records: RequestRecords;
  readonly health: Health;
  readonly clock: Clock;
  readonly admission: Admission;
  /** How long a client may take nothing of an answer, milliseconds. */
  readonly idleMs: number;
  /** How blobs get to clients. */
  readonly deliver: Deliver;
}

/** The routes: the registry under `/v2/` (and `/<upstream>/v2/`), `/livez`, `/readyz`, `/metrics`. */
export function createApp({
  registry,
  records,
  health,
  clock,
  admission,
  idleMs,
  deliver,
}: AppOptions): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const send = (reply: Reply, outgoing: ServerResponse): Promise<Delivered> =>
    sendReply(reply, outgoing, { isHead: outgoing.req.method === 'HEAD', idleMs, deliver });
  const serve = async (
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    record: RequestRecord,
  ): Promise<void> => {
    const client = incoming.socket.remoteAddress ?? '';
    const refusal = admission.enter(client);
    if (refusal === undefined) outgoing.once('close', () => admission.leave(client));
    const reply =
      refusal === undefined ? await registry.reply(incoming, record) : overloadReply(refusal, record);
    record.firstByteMs = clock.monotonic() - record.startedAt;
    const delivered = await send(reply, outgoing);
    record.bytes = delivered.bytes;
    record.isWhole = delivered.complete;
    if (delivered.error !== undefined) record.error = delivered.error;
  };
  app.get('/livez', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    try {
      await health.probe();
      return c.json({ status: 'ready', ...health.detail() });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return c.json({ status: 'not ready', reason, ...health.detail() }, 503);
    }
  });
  app.get('/metrics', async (c) => {
    const { contentType, text } = await health.metrics();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
  app.all('*', async (c) => {
    const { incoming, outgoing } = c.env;
    // Hono's path is decoded and normalised; what was really asked is on the incoming message.
    if (!isV2Path(splitUrl(incoming.url ?? '').path)) return c.notFound();
    const record = records.of(incoming);
    record.served = serve(incoming, outgoing, record).catch((error: unknown) =>
      answerUnforeseen(error, outgoing, record, send),
    );
    await record.served;
    return RESPONSE_ALREADY_SENT;
  });
  app.onError((error, c) => {
    records.of(c.env.incoming).error = error;
    return c.text('internal error\n', 500);
  });
  app.notFound((c) => c.text('not found: the registry is under /v2/\n', 404));
  return app;
}

/** The last resort. Nothing throws once a part of an answer is sent, so there is none yet. */
async function answerUnforeseen(
  error: unknown,
  outgoing: ServerResponse,
  record: RequestRecord,
  send: (reply: Reply, outgoing: ServerResponse) => Promise<Delivered>,
): Promise<void> {
  record.outcome = 'error';
  record.error = error;
  const reply = errorReply(error, { kind: undefined, hasFallback: false });
  const delivered = await send(withCommonHeaders(reply, record.id, statusOfError(error)), outgoing);
  record.bytes = delivered.bytes;
}
