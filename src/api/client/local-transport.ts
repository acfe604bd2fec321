import type { Api } from '../api.ts';
import { BASE } from '../contract/routes.ts';
import type { Transport } from './transport.ts';

/** Returns the transport to the API of this process, whose user may do everything. */
export function localTransport(api: Pick<Api, 'answer'>): Transport {
  return async ({ method, path, body, signal }) => {
    const { pathname, searchParams } = new URL(path, `http://larder${BASE}`);
    const answer = await api.answer({
      method,
      path: pathname,
      query: searchParams,
      readBody: () => Promise.resolve(JSON.parse(body ?? 'null') as unknown),
      permit: () => {},
    });
    if ('text' in answer) return { status: answer.status, text: once(answer.text) };
    signal?.addEventListener('abort', () => answer.stream.end(), { once: true });
    return { status: answer.status, text: answer.stream };
  };
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
