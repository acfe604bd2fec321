import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { OperatorError } from '../../operator/error.ts';
import type { Transport } from './transport.ts';

/** Returns the transport over HTTP. @param to the socket's path, or host and port, and what headers go with every request */
export function httpTransport(
  to: Pick<RequestOptions, 'socketPath' | 'host' | 'port' | 'headers'>,
): Transport {
  return async ({ method, path, body = '', signal }) => {
    const outgoing = httpRequest({
      ...to,
      method,
      path,
      headers: {
        Host: 'larder',
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
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
      return { status: incoming.statusCode ?? 0, text: textOf(incoming) };
    } catch (error) {
      throw brokenOff(error);
    }
  };
}

async function* textOf(incoming: IncomingMessage): AsyncGenerator<string> {
  incoming.setEncoding('utf8');
  try {
    for await (const chunk of incoming) yield chunk as string;
  } catch (error) {
    throw brokenOff(error);
  }
}

function brokenOff(cause: unknown): OperatorError {
  return new OperatorError('failed', 'the server has ended the connection', { cause });
}
