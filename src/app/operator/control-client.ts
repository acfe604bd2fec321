import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Page } from '../../index/page.ts';
import type { PinEntry } from '../../index/pin-index.ts';
import { OperatorError, type OperatorErrorCode } from '../../operator/error.ts';
import type { ContentStats, RepositoryRow, TagRow } from '../../operator/inventory.ts';
import type { Operator, VerifyRequest } from '../../operator/operator.ts';
import type { Removed } from '../../operator/remove.ts';
import type { VerifyProgress, VerifyReport } from '../../upkeep/verify.ts';

/**
 * Error codes that mean that no server listens: there is no socket, its server is gone, or no socket can have so long a
 * path.
 */
const ABSENT: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ENOTSOCK',
  'ENOTDIR',
  'EINVAL',
  'ENAMETOOLONG',
]);

/**
 * Returns whether a server listens on the socket.
 * @throws OperatorError if this process has no permission to connect
 */
export async function isListening(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (ABSENT.has(code)) return false;
    const message = `cannot connect to ${socketPath} (${code}): run this as the user that runs the server`;
    throw new OperatorError('failed', message, { cause: error });
  } finally {
    socket.destroy();
  }
}

/** Does an operator's commands through the server that listens on a control socket. */
export class RemoteOperator implements Operator {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  stats(): Promise<ContentStats> {
    return this.#get('stats', {});
  }

  repositories(page: Page<string>): Promise<readonly RepositoryRow[]> {
    return this.#get('repositories', page);
  }

  tags(repository: string, page: Page<string>): Promise<readonly TagRow[]> {
    return this.#get('tags', { ...page, repository });
  }

  pins(page: Page<string>): Promise<readonly PinEntry[]> {
    return this.#get('pins', page);
  }

  remove(reference: string): Promise<Removed> {
    return this.#post('delete', { reference });
  }

  pin(reference: string): Promise<readonly string[]> {
    return this.#post('pin', { reference });
  }

  unpin(reference: string): Promise<readonly string[]> {
    return this.#post('unpin', { reference });
  }

  async verify(
    wanted: VerifyRequest,
    onProgress: (progress: VerifyProgress) => void,
    signal: AbortSignal,
  ): Promise<VerifyReport> {
    const incoming = await this.#ask('POST', 'verify', wanted, signal);
    if (incoming.statusCode !== 200) throw await errorOf(incoming);
    try {
      for await (const text of createInterface({ input: incoming })) {
        const line = JSON.parse(text) as VerifyLine;
        if (line.kind === 'report') return line;
        if (line.kind === 'error') throw new OperatorError(line.code, line.message);
        onProgress(line);
      }
    } catch (error) {
      throw error instanceof OperatorError ? error : brokenOff(error);
    }
    throw brokenOff();
  }

  async #get<T>(operation: string, query: object): Promise<T> {
    const entries = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(
      entries.map(([name, value]): [string, string] => [name, String(value)]),
    );
    return readAnswer(await this.#ask('GET', `${operation}?${String(search)}`));
  }

  async #post<T>(operation: string, body: object): Promise<T> {
    return readAnswer(await this.#ask('POST', operation, body));
  }

  async #ask(
    method: string,
    operation: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const outgoing = request({
      socketPath: this.#socketPath,
      method,
      path: `/api/v1/${operation}`,
      headers: { Host: 'larder', 'Content-Length': Buffer.byteLength(text) },
      agent: false,
      signal,
    });
    outgoing.end(text);
    try {
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      return incoming;
    } catch (error) {
      throw brokenOff(error);
    }
  }
}

type VerifyLine =
  | VerifyProgress
  | ({ readonly kind: 'report' } & VerifyReport)
  | { readonly kind: 'error'; readonly code: OperatorErrorCode; readonly message: string };

function brokenOff(cause?: unknown): OperatorError {
  return new OperatorError('failed', 'the server has ended the connection', { cause });
}

async function readAnswer<T>(incoming: IncomingMessage): Promise<T> {
  if (incoming.statusCode !== 200) throw await errorOf(incoming);
  return JSON.parse(await readText(incoming)) as T;
}

async function errorOf(incoming: IncomingMessage): Promise<OperatorError> {
  const text = await readText(incoming);
  try {
    const { error } = JSON.parse(text) as { error: { code: OperatorErrorCode; message: string } };
    return new OperatorError(error.code, error.message);
  } catch {
    return new OperatorError('failed', `the server has answered ${incoming.statusCode}`);
  }
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch (error) {
    throw brokenOff(error);
  }
  return Buffer.concat(chunks).toString('utf8');
}
