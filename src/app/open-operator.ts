import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { createEvents } from '../events.ts';
import { OperatorError } from '../operator/error.ts';
import type { Operator } from '../operator/operator.ts';
import { findControlSocket } from '../server/control/control-socket.ts';
import { DirectoryLockedError } from '../store/fs/lock.ts';
import { openCache } from './cache.ts';
import { isListening, RemoteOperator } from './control-client.ts';
import { Passage } from '../upstream/transport/passage.ts';
import { createUpstreams } from './upstreams.ts';
import { version } from './version.ts';

/** What one command asks. */
export interface OpenedOperator {
  readonly operator: Operator;
  /** Whether a server does it, whose clients are not to be disturbed. */
  readonly isRemote: boolean;
  close(): Promise<void>;
}

/** A server that starts or stops has the directory, but nobody answers at its socket: for milliseconds. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 100;

/** No client waits for a command: another program that is writing into the index may finish. */
const BUSY_TIMEOUT_MS = 2_000;

/**
 * Reaches the cache that the configuration names: through the server that runs with it, else by opening it here.
 * @throws OperatorError, DirectoryLockedError, StoreError, IndexError
 */
export async function openOperator(config: Config): Promise<OpenedOperator> {
  const deadline = systemClock.monotonic() + PATIENCE_MS;
  for (;;) {
    const opened = (await reachServer(config)) ?? (await openHere(config, deadline));
    if (opened !== undefined) return opened;
    await wait(RETRY_MS);
  }
}

async function reachServer({ cache }: Config): Promise<OpenedOperator | undefined> {
  const socketPath = await findControlSocket(cache.directory);
  if (!(await isListening(socketPath))) return undefined;
  return {
    operator: new RemoteOperator(socketPath),
    isRemote: true,
    close: async () => {},
  };
}

/** @returns undefined where another process has the directory, and may answer soon */
async function openHere(config: Config, deadline: number): Promise<OpenedOperator | undefined> {
  try {
    return await openLocally(config);
  } catch (error) {
    if (!(error instanceof DirectoryLockedError) || systemClock.monotonic() > deadline) throw error;
    return undefined;
  }
}

/** A command on what is cached makes no cache: one that is made in a mount point is in the way of the real one. */
async function assertCache({ cache: { directory } }: Config): Promise<void> {
  try {
    await access(join(directory, 'lock.db'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
    throw new OperatorError('failed', `there is no cache in ${directory} (cache.directory)`);
  }
}

async function openLocally(config: Config): Promise<OpenedOperator> {
  await assertCache(config);
  const dependencies = { clock: systemClock, events: createEvents() };
  let isReplaced = false;
  dependencies.events.subscribe((event) => {
    if (event.kind === 'index-replaced') isReplaced = true;
  });
  await using stack = new AsyncDisposableStack();
  const upstreams = createUpstreams(config, {
    ...dependencies,
    passage: new Passage(randomUUID()),
    userAgent: `larder/${version()}`,
  });
  for (const { upstream } of upstreams) stack.defer(() => upstream.close());
  const cache = await openCache(config, upstreams, { ...dependencies, busyTimeoutMs: BUSY_TIMEOUT_MS });
  stack.defer(() => cache.close());
  const failure = cache.mirror.disk.error;
  if (failure !== undefined) throw new OperatorError('failed', failure.message, { cause: failure });
  // Nothing would be known of what is stored.
  if (isReplaced) await cache.upkeep.reconcile(new AbortController().signal);
  // The clock's timers let a process end that waits for nothing else.
  const alive = setInterval(() => {}, 2 ** 30);
  stack.defer(() => clearInterval(alive));
  const parts = stack.move();
  return { operator: cache.operator, isRemote: false, close: () => parts.disposeAsync() };
}
