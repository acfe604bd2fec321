import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { OperatorError } from '../../operator/error.ts';
import type { ApiTransport } from './transport.ts';

/** Returns the transport over HTTP. @param to the socket's path, or host and port, and what headers go with every request */
export function httpTransport(
  to: Pick<RequestOptions, 'socketPath' | 'host' | 'port' | 'headers'>,
): ApiTransport {
  return async ({ method, path, body = '', headers, signal }) => {
    const outgoing = httpRequest({
      ...to,
      method,
      path,
      headers: {
        Host: 'larder',
        'Content-Type': typeof body === 'string' ? 'application/json' : 'application/octet-stream',
        'Content-Length': Buffer.byteLength(body),
        ...headers,
        ...(to.headers as Record<string, string> | undefined),
      },
      agent: false,
      signal,
    });
    outgoing.end(body);
    // One that comes after the answer has begun is also an error of the answer.
    outgoing.on('error', () => {});
    try {
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      return { status: incoming.statusCode ?? 0, bytes: bytesOf(incoming) };
    } catch (error) {
      throw brokenOff(error);
    }
  };
}

async function* bytesOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming) yield chunk as Uint8Array;
  } catch (error) {
    throw brokenOff(error);
  }
}

function brokenOff(cause: unknown): OperatorError {
  return new OperatorError('failed', 'the server has ended the connection', { cause });
}
