import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Api, ApiAnswer, ApiRequest } from '../../api/api.ts';
import type { Subscription } from '../../api/events/subscription.ts';
import { ProblemError } from '../../api/problem-error.ts';
import { splitUrl } from '../request/split-url.ts';

/** A hundred thousand digests. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** The type that a body must have, by the method of its request. */
const TYPES: Readonly<Record<string, string>> = {
  POST: 'application/json',
  PATCH: 'application/octet-stream',
};

/**
 * Answers a request to the API that has come over a socket. Resolves when the answer is sent.
 * @param permit checks what the client may
 * @throws what `permit` throws
 */
export async function answerApi(
  api: Pick<Api, 'answer'>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  permit: ApiRequest['permit'],
): Promise<void> {
  const { path, query } = splitUrl(incoming.url ?? '');
  const answer = await api.answer({
    method: incoming.method ?? '',
    path,
    query,
    header(name) {
      const value = incoming.headers[name];
      return typeof value === 'string' ? value : undefined;
    },
    readJson: () => readJson(incoming),
    bytes: incoming,
    permit(needs) {
      assertType(incoming);
      return permit(needs);
    },
  });
  await sendApiAnswer(answer, outgoing);
}

export async function sendApiAnswer(answer: ApiAnswer, outgoing: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(answer.headers)) outgoing.setHeader(name, value);
  outgoing.statusCode = answer.status;
  if ('stream' in answer) return sendStream(answer.stream, outgoing);
  if ('bytes' in answer) return sendBytes(answer.bytes, outgoing);
  outgoing.end(answer.text);
}

/** Sends the bytes; if they cannot be read to their end, the connection is cut. */
async function sendBytes(bytes: AsyncGenerator<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  await pipeline(Readable.from(bytes, { objectMode: false }), outgoing).catch(() => outgoing.destroy());
}

/** Sends what is told until the stream ends. A client that takes nothing while it is full is cut. */
async function sendStream(stream: Subscription, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => {
    gone.abort();
    stream.end();
  });
  outgoing.flushHeaders();
  const cut = (): void => void (outgoing.writableNeedDrain && outgoing.destroy());
  void stream.ended.then(cut);
  try {
    for await (const text of stream) {
      if (!outgoing.write(text)) await once(outgoing, 'drain', { signal: gone.signal });
    }
  } catch {
    // The client has gone.
  }
  outgoing.end();
}

/** Reads a body of JSON. @throws ProblemError */
async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const text = await readText(incoming);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ProblemError('invalid', 'the body is not JSON', [{ field: 'body', message: 'expected JSON' }]);
  }
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES)
      throw new ProblemError('too-large', `expected a body of at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Checks that a change has a type that no form has: a page of another site can send other types without asking first
 * (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
 * @throws ProblemError
 */
function assertType({ method = '', headers }: IncomingMessage): void {
  const expected = TYPES[method];
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (expected === undefined || type.trim().toLowerCase() === expected) return;
  throw new ProblemError('wrong-type', `expected the header Content-Type: ${expected}`);
}
