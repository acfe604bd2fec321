import type * as z from 'zod';
import { OperatorError, type OperatorErrorCode } from '../../operator/error.ts';
import { EVENTS, type ApiEvent, type EventName } from '../contract/events.ts';
import { ProblemDocument, problemName, type ProblemName } from '../contract/problem.ts';
import { BASE, ROUTES, type ApiRoute, type RouteAnswer, type RouteName } from '../contract/routes.ts';
import { parseSse } from '../events/sse.ts';
import type { ClientAnswer, ClientRequest, ApiTransport } from './transport.ts';

type ValueRoute = Exclude<RouteName, 'events' | 'bundle'>;

type Asked<Name extends RouteName, Part extends 'query' | 'body'> = (typeof ROUTES)[Name] extends {
  readonly [P in Part]: infer Schema extends z.ZodType;
}
  ? { readonly [P in Part]: z.input<Schema> }
  : (typeof ROUTES)[Name] extends { readonly [P in Part]: 'bytes' }
    ? { readonly [P in Part]: Uint8Array }
    : unknown;

/** What a caller gives to a route. */
export type RouteRequest<Name extends RouteName> = Asked<Name, 'query'> &
  Asked<Name, 'body'> &
  ((typeof ROUTES)[Name]['path'] extends `${string}{id}${string}` ? { readonly id: string } : unknown);

/** A request whose route is known at run time only. */
interface AnyRequest {
  readonly id?: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly headers?: ClientRequest['headers'];
}

/** The words of OperatorError for the classes of problems; the others are failures. */
const CODES: Readonly<Partial<Record<ProblemName, OperatorErrorCode>>> = {
  invalid: 'invalid',
  unknown: 'unknown',
  busy: 'busy',
};

/** Asks the API, by the contract alone: it gives the types of what is asked, and checks what is answered. */
export class ApiClient {
  readonly #transport: ApiTransport;

  constructor(transport: ApiTransport) {
    this.#transport = transport;
  }

  /** @throws OperatorError */
  async call<Name extends ValueRoute>(
    name: Name,
    request: RouteRequest<Name>,
    signal?: AbortSignal,
  ): Promise<RouteAnswer<Name>> {
    const route: ApiRoute = ROUTES[name];
    const answer = await this.#send(route, request as AnyRequest, signal);
    const value = JSON.parse(await readWhole(answer)) as unknown;
    const result = (route.answer as z.ZodType).safeParse(value);
    if (result.success) return result.data as RouteAnswer<Name>;
    throw new OperatorError('failed', 'the server speaks another version of the API', {
      cause: result.error,
    });
  }

  /** Listens to what happens, from the moment at which the promise resolves. @param signal ends it */
  async events(signal: AbortSignal): Promise<AsyncIterable<ApiEvent>> {
    const { bytes } = await this.#send(ROUTES.events, {}, signal);
    return eventsOf(textOf(bytes));
  }

  /** Reads an exported bundle from the offset to its end. @throws OperatorError */
  async bundle(identity: string, offset: number, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const { bytes } = await this.#send(ROUTES.bundle, { query: { identity }, headers }, signal);
    return bytes;
  }

  async #send(route: ApiRoute, request: AnyRequest, signal?: AbortSignal): Promise<ClientAnswer> {
    const { id = '', query = {}, body, headers } = request;
    const path = `${BASE}${route.path.replace('{id}', encodeURIComponent(id))}${queryText(query)}`;
    const sent = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
    const answer = await this.#transport({ method: route.method, path, body: sent, headers, signal });
    const isPart = answer.status === 206 && headers?.range !== undefined;
    if (answer.status !== route.status && !isPart) throw await errorOf(answer);
    return answer;
  }
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).flatMap(([name, value]): readonly [string, string][] =>
    value === undefined ? [] : [[name, String(value as string | number)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

async function readWhole({ bytes }: ClientAnswer): Promise<string> {
  let whole = '';
  for await (const text of textOf(bytes)) whole += text;
  return whole;
}

async function* textOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
}

async function errorOf(answer: ClientAnswer): Promise<OperatorError> {
  const result = ProblemDocument.safeParse(parsed(await readWhole(answer)));
  if (!result.success) return new OperatorError('failed', `the server has answered ${answer.status}`);
  const name = problemName(result.data);
  return new OperatorError((name && CODES[name]) ?? 'failed', result.data.detail);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Passes over events that this version does not know. */
async function* eventsOf(text: AsyncIterable<string>): AsyncGenerator<ApiEvent> {
  for await (const { event, data } of parseSse(text)) {
    if (!Object.hasOwn(EVENTS, event)) continue;
    const result = EVENTS[event as EventName].safeParse(parsed(data));
    if (result.success) yield { event, data: result.data } as ApiEvent;
  }
}
