import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient } from '../../api/client/api-client.ts';
import { httpTransport } from '../../api/client/http-transport.ts';
import { localTransport } from '../../api/client/local-transport.ts';
import { systemClock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import { createEvents } from '../../events.ts';
import { OperatorError } from '../../operator/error.ts';
import type { Imports } from '../../operator/import/imports.ts';
import { findControlSocket } from '../../server/api/control-socket.ts';
import { DirectoryLockedError } from '../../store/fs/lock.ts';
import { openCache, type Cache } from '../cache.ts';
import { isListening } from './is-listening.ts';
import { Passage } from '../../upstream/transport/passage.ts';
import { createUpstreams } from '../upstreams.ts';
import { version } from '../version.ts';

/** The API of a cache, reached for one command. */
export interface OpenedOperator {
  readonly client: ApiClient;
  /** Whether a running server does the command: then its clients must not be disturbed. */
  readonly isRemote: boolean;
  /** Imports into the cache that is open here, without an upload; undefined if a running server has it open. */
  readonly importHere: Imports['importBundle'] | undefined;
  /** Lets eviction run for a command that adds content; a running server evicts anyway. */
  readonly makeRoom: () => void;
  close(): Promise<void>;
}

/** A server that starts or stops holds the directory for some milliseconds without answering at its socket. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 100;

/** No client waits for a command, so another program that is writing into the index may finish. */
const BUSY_TIMEOUT_MS = 2_000;

/**
 * Reaches the cache that the configuration names: through the server that has it open, else by opening it here.
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
    client: new ApiClient(httpTransport({ socketPath })),
    isRemote: true,
    importHere: undefined,
    makeRoom: () => {},
    close: async () => {},
  };
}

/** @returns undefined if another process holds the directory, and may answer soon */
async function openHere(config: Config, deadline: number): Promise<OpenedOperator | undefined> {
  try {
    return await openLocally(config);
  } catch (error) {
    if (!(error instanceof DirectoryLockedError) || systemClock.monotonic() > deadline) throw error;
    return undefined;
  }
}

/** A command creates no cache: in a mount point without its mount, a new cache would be in the way of the real one. */
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
  // The clock's timers do not keep the process alive while it waits; this one does, until all is closed.
  const alive = setInterval(() => {}, 2 ** 30);
  stack.defer(() => clearInterval(alive));
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
  // Else the new, empty index would know nothing of the stored blobs.
  if (isReplaced) await cache.upkeep.reconcile(new AbortController().signal);
  const parts = stack.move();
  return {
    client: new ApiClient(localTransport(cache.api)),
    isRemote: false,
    importHere: importInto(cache),
    makeRoom: () => cache.evictor.start(),
    close: () => parts.disposeAsync(),
  };
}

/** An import may need the room of what was not used for long, so eviction runs meanwhile; for other commands it does not. */
function importInto({ imports, evictor }: Cache): Imports['importBundle'] {
  return (...args) => {
    evictor.start();
    return imports.importBundle(...args);
  };
}
