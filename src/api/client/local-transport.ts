import type { Api, ApiAnswer } from '../api.ts';
import { BASE } from '../contract/routes.ts';
import type { ApiTransport } from './transport.ts';

/** Returns the transport to the API of this process, whose user may do everything. */
export function localTransport(api: Pick<Api, 'answer'>): ApiTransport {
  return async ({ method, path, body = '', headers = {}, signal }) => {
    const { pathname, searchParams } = new URL(path, `http://larder${BASE}`);
    const answer = await api.answer({
      method,
      path: pathname,
      query: searchParams,
      header: (name) => headers[name],
      readJson: () => Promise.resolve(typeof body === 'string' ? (JSON.parse(body) as unknown) : undefined),
      bytes: once(body),
      permit: () => {},
    });
    if ('stream' in answer) signal?.addEventListener('abort', () => answer.stream.end(), { once: true });
    return { status: answer.status, bytes: bytesOf(answer) };
  };
}

async function* bytesOf(answer: ApiAnswer): AsyncGenerator<Uint8Array> {
  if ('text' in answer) yield* once(answer.text);
  else if ('bytes' in answer) yield* answer.bytes;
  else for await (const text of answer.stream) yield* once(text);
}

async function* once(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof content === 'string' ? Buffer.from(content) : content;
}
