/**
 * A registry that says exactly what the test tells it: a real HTTP(S) server on a free loopback port with a
 * table of exchanges. A request that no exchange expects is answered with 500 and fails the test when the
 * server is disposed of.
 *
 *     await using upstream = await startScriptedUpstream();
 *     upstream.on('GET', '/v2/acme/app/manifests/1').once().reply(challenged('Bearer realm="…"'));
 *     upstream.on('GET', '/v2/acme/app/manifests/1').withHeader('authorization', 'Bearer t').reply(json(document));
 *     upstream.on('GET', `/v2/acme/app/blobs/${digest}`).once().reply(bytes(layer), cutAfter(1000));
 *     upstream.on('GET', `/v2/acme/app/blobs/${digest}`).withHeader('range', 'bytes=1000-').reply(bytes(layer));
 *     …
 *     expect(upstream.count('GET', /blobs/)).toBe(2);
 *
 * - The first exchange that matches and is not used up answers; `once()`/`times(n)` use it up.
 * - `inState('expired')` matches only in that state, `moveTo('renewed')` changes it; the first state is `start`.
 * - Replies (`json`, `bytes`, `status`, `redirect`, `challenged`, `registryError`) and the fault verbs
 *   (`cutAfter`, `stallAfter`, `neverRespond`, `resetBeforeHeaders`, `flip`, `shortBody`, `longBody`,
 *   `wrongDigest`, `chunked`, `withHeaders`, `instead`) are in scripted-reply.ts; verbs combine.
 * - `hits` is the log of all requests; `count` and `hitsOf` look into it.
 * - `assertDone()` fails if an exchange with `once()`/`times(n)` was not used up.
 */
import { AssertionError } from 'node:assert';
import { registryError, type Answer, type Fault, type Incoming, type Reply } from './scripted-reply.ts';
import { startServer, type Hit, type RunningServer, type ServerOptions } from './scripted-server.ts';

export type Expected = string | RegExp;

export class Exchange {
  readonly #method: string;
  readonly #path: Expected;
  readonly #headers: [name: string, value: Expected | undefined][] = [];
  readonly #query: [name: string, value: Expected | undefined][] = [];
  #remaining = Number.POSITIVE_INFINITY;
  #hostname: string | undefined;
  #state: string | undefined;
  #nextState: string | undefined;
  #answer: Answer = registryError(500, 'UNKNOWN', { message: 'the test gave no reply' });
  #faults: readonly Fault[] = [];

  constructor(method: string, path: Expected) {
    this.#method = method;
    this.#path = path;
  }

  /** The request must have the header; undefined: it must not. */
  withHeader(name: string, value: Expected | undefined): this {
    this.#headers.push([name.toLowerCase(), value]);
    return this;
  }

  /** The request must have been sent to this host name, whatever the port: one server may play several hosts. */
  at(hostname: string): this {
    this.#hostname = hostname;
    return this;
  }

  /** The request must have the query parameter (its first value counts); undefined: it must not. */
  withQuery(name: string, value: Expected | undefined): this {
    this.#query.push([name, value]);
    return this;
  }

  once(): this {
    return this.times(1);
  }

  times(count: number): this {
    this.#remaining = count;
    return this;
  }

  inState(state: string): this {
    this.#state = state;
    return this;
  }

  moveTo(state: string): this {
    this.#nextState = state;
    return this;
  }

  /** Sets the answer, which the faults change from left to right. */
  reply(answer: Answer, ...faults: readonly Fault[]): this {
    this.#answer = answer;
    this.#faults = faults;
    return this;
  }

  get isDone(): boolean {
    return this.#remaining === 0 || this.#remaining === Number.POSITIVE_INFINITY;
  }

  matches(incoming: Incoming, state: string): boolean {
    return (
      this.#remaining > 0 &&
      (this.#state === undefined || this.#state === state) &&
      incoming.method === this.#method &&
      agrees(incoming.path, this.#path) &&
      (this.#hostname === undefined || hostnameOf(incoming) === this.#hostname) &&
      this.#headers.every(([name, value]) => agrees(headerText(incoming, name), value)) &&
      this.#query.every(([name, value]) => agrees(incoming.query.get(name) ?? undefined, value))
    );
  }

  /** Counts one use. @returns the next state */
  use(state: string): string {
    this.#remaining -= 1;
    return this.#nextState ?? state;
  }

  async replyTo(incoming: Incoming): Promise<Reply> {
    const reply = typeof this.#answer === 'function' ? await this.#answer(incoming) : this.#answer;
    return this.#faults.reduce((changed, fault) => fault(changed), reply);
  }

  toString(): string {
    return `${this.#method} ${String(this.#path)}`;
  }
}

/** Returns the host name that a request was sent to, without the port. */
export function hostnameOf({ headers }: Incoming): string {
  return (headers.host ?? '').replace(/:\d+$/, '');
}

function headerText(incoming: Incoming, name: string): string | undefined {
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function agrees(actual: string | undefined, expected: Expected | undefined): boolean {
  if (expected === undefined || actual === undefined) return actual === expected;
  return typeof expected === 'string' ? actual === expected : expected.test(actual);
}

export class ScriptedUpstream implements AsyncDisposable {
  readonly #exchanges: Exchange[] = [];
  readonly #unexpected: string[] = [];
  #state = 'start';
  #server: RunningServer | undefined;

  /** Begins an exchange, which its `reply` completes. */
  on(method: string, path: Expected): Exchange {
    const exchange = new Exchange(method, path);
    this.#exchanges.push(exchange);
    return exchange;
  }

  get port(): number {
    return this.#running.port;
  }

  get url(): URL {
    return this.#running.url;
  }

  /** Every request so far, in order of arrival. */
  get hits(): readonly Hit[] {
    return this.#running.hits;
  }

  get state(): string {
    return this.#state;
  }

  /** Changes the state from outside: time has passed, a token has expired. */
  moveTo(state: string): void {
    this.#state = state;
  }

  hitsOf(method: string, path: Expected = /.*/): readonly Hit[] {
    return this.hits.filter((hit) => hit.method === method && agrees(hit.path, path));
  }

  count(method: string, path: Expected = /.*/): number {
    return this.hitsOf(method, path).length;
  }

  /** @throws AssertionError if requests came that no exchange expected */
  assertExpected(): void {
    if (this.#unexpected.length === 0) return;
    throw new AssertionError({ message: `unexpected requests:\n${this.#unexpected.join('\n')}` });
  }

  /** @throws AssertionError if an exchange with `once()` or `times(n)` was not used up */
  assertDone(): void {
    const waiting = this.#exchanges.filter((exchange) => !exchange.isDone);
    if (waiting.length === 0) return;
    throw new AssertionError({ message: `exchanges not used up:\n${waiting.join('\n')}` });
  }

  /** Closes without assertions, for a test that takes the upstream down. */
  async close(): Promise<void> {
    await this.#running.close();
  }

  /** Cuts the open connections, and waits until this process has noticed. */
  async closeConnections(): Promise<void> {
    this.#running.closeConnections();
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.assertExpected();
  }

  async start(options: ServerOptions): Promise<this> {
    this.#server = await startServer((incoming) => this.#respond(incoming), options);
    return this;
  }

  get #running(): RunningServer {
    if (this.#server === undefined) throw new Error('not started');
    return this.#server;
  }

  async #respond(incoming: Incoming): Promise<Reply> {
    const exchange = this.#exchanges.find((candidate) => candidate.matches(incoming, this.#state));
    if (exchange === undefined) {
      const line = `${incoming.method} ${incoming.path} ${JSON.stringify(incoming.headers)} ?${String(incoming.query)} in state ${this.#state}`;
      this.#unexpected.push(line);
      return registryError(500, 'UNKNOWN', { message: `unexpected request: ${line}` });
    }
    this.#state = exchange.use(this.#state);
    return exchange.replyTo(incoming);
  }
}

/** Starts a scripted upstream with an empty table. */
export async function startScriptedUpstream(options: ServerOptions = {}): Promise<ScriptedUpstream> {
  return new ScriptedUpstream().start(options);
}
