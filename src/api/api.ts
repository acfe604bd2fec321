import type * as z from 'zod';
import { AccessError } from '../access/access-error.ts';
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { OperatorError } from '../operator/error.ts';
import type { ApiRoute, RouteInput, RouteName } from './contract/routes.ts';
import { PROBLEM_TYPE, type ProblemDocument } from './contract/problem.ts';
import { EventFeed } from './events/event-feed.ts';
import type { Subscription } from './events/subscription.ts';
import { findRoute, methodsOf, type FoundRoute } from './find-route.ts';
import { createHandlers, type HandlerParts, type Handlers } from './handlers.ts';
import { openBundle } from './open-bundle.ts';
import { rangeAnswer, type RangeAnswer } from './range-answer.ts';
import { invalidInput, ProblemError, problemOf } from './problem-error.ts';
import { toJobSummary } from './to-contract.ts';

export interface ApiOptions extends HandlerParts {
  readonly clock: Clock;
  readonly events: Events;
  /** Names this process in the ids of events. */
  readonly epoch: string;
}

/** A request, as every door of the API gives it. */
export interface ApiRequest {
  readonly method: string;
  /** With `/api/v1` before it. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Returns a header, by its name in lower case. */
  readonly header: (name: 'last-event-id' | 'range' | 'if-range') => string | undefined;
  /** Reads the body as JSON. @throws ProblemError */
  readonly readJson: () => Promise<unknown>;
  /** The body, for routes that take any bytes. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Checks that the client may do it. @throws AccessError, ProblemError */
  readonly permit: (needs: ApiRoute['needs']) => void | Promise<void>;
}

/** What the client gets. */
export type ApiAnswer =
  | {
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly text: string;
    }
  | {
      readonly status: 200;
      readonly headers: Readonly<Record<string, string>>;
      readonly stream: Subscription;
    }
  | RangeAnswer;

/** Answers are about this moment, and perhaps about what other clients may not see. */
const NO_STORE = { 'Cache-Control': 'no-store' };
// Else nginx would collect events until its buffer is full.
const STREAM_HEADERS = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no', ...NO_STORE };

/**
 * The API: it finds the route, has the door check what the client may, reads the input by the contract, and calls the
 * handler. It knows nothing of sockets, so that every door gives the same answers.
 */
export class Api {
  readonly #handlers: Handlers;
  readonly #exports: ApiOptions['exports'];
  readonly #feed: EventFeed;
  readonly #events: Events;
  readonly #unwatch: () => void;

  constructor(options: ApiOptions) {
    this.#handlers = createHandlers(options);
    this.#exports = options.exports;
    this.#feed = new EventFeed(options);
    this.#events = options.events;
    this.#unwatch = options.jobs.watch((job) => this.#feed.emit({ event: 'job', data: toJobSummary(job) }));
  }

  /** @throws AccessError of `permit`, which each door answers in its own way; every other error becomes an answer */
  async answer(request: ApiRequest): Promise<ApiAnswer> {
    try {
      const found = findRoute(request.method, request.path);
      await request.permit(found.route.needs);
      return await this.#answerFound(found, request);
    } catch (error) {
      if (error instanceof AccessError) throw error;
      return this.#refuse(error, request);
    }
  }

  /** Ends the streams of events. */
  close(): void {
    this.#unwatch();
    this.#feed.close();
  }

  async #answerFound({ name, route, id }: FoundRoute, request: ApiRequest): Promise<ApiAnswer> {
    const query = parse('query', route.query, fieldsOf(request.query));
    if (name === 'events') {
      const stream = this.#feed.subscribe(request.header('last-event-id'));
      return { status: 200, headers: STREAM_HEADERS, stream };
    }
    if (name === 'bundle') return this.#bundle(query as RouteInput<'bundle'>['query'], request);
    const body = await bodyOf(route, request);
    const handle = this.#handlers[name] as (input: RouteInput<RouteName>) => Promise<unknown>;
    return json(route.status, await handle({ id, query, body } as RouteInput<RouteName>));
  }

  #bundle({ identity }: RouteInput<'bundle'>['query'], { header }: ApiRequest): RangeAnswer {
    const source = openBundle(this.#exports, identity);
    const answer = rangeAnswer(source, { range: header('range'), ifRange: header('if-range') });
    return { ...answer, headers: { ...NO_STORE, ...answer.headers } };
  }

  #refuse(error: unknown, { method, path }: ApiRequest): ApiAnswer {
    if (!(error instanceof ProblemError || error instanceof OperatorError)) {
      this.#events.emit({ kind: 'server-failed', operation: `${method} ${path}`, error });
    }
    const problem = problemOf(error);
    return problemAnswer(problem, problem.status === 405 ? { Allow: methodsOf(path).join(', ') } : {});
  }
}

/** Returns the answer that tells a problem. */
export function problemAnswer(
  problem: ProblemDocument,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return {
    status: problem.status,
    headers: { 'Content-Type': PROBLEM_TYPE, ...NO_STORE, ...headers },
    text: JSON.stringify(problem),
  };
}

async function bodyOf({ body }: ApiRoute, { readJson, bytes }: ApiRequest): Promise<unknown> {
  if (body === undefined) return undefined;
  return body === 'bytes' ? bytes : parse('body', body, await readJson());
}

function json(status: number, value: unknown): ApiAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...NO_STORE },
    text: JSON.stringify(value),
  };
}

function parse(part: 'query' | 'body', schema: z.ZodType | undefined, input: unknown): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(input);
  if (!result.success) throw invalidInput(part, result.error);
  return result.data;
}

/** Returns the fields of a query. One that is given twice becomes a list, which no schema takes. */
function fieldsOf(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const fields = [...new Set(query.keys())].map((name): [string, unknown] => {
    const values = query.getAll(name);
    return [name, values.length > 1 ? values : values[0]];
  });
  return Object.fromEntries(fields);
}
