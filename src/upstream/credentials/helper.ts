import { execFile } from 'node:child_process';
import { isAbsolute } from 'node:path';
import type { Clock } from '../../clock.ts';
import { isJsonObject } from '../../oci/documents/json.ts';
import { abortable } from '../../async/abortable.ts';
import { CredentialError, credentialsOf, type Credentials, type CredentialSource } from './credentials.ts';
import { serverKeys } from './server-key.ts';
import type { RegistryIdentity } from './source.ts';

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 256 * 1024;

/** How long a helper's answer is used again: some helpers ask a cloud, and tokens are fetched often. */
const KEPT_MS = 5 * 60 * 1000;

/** Least time between runs of a helper that fails, or whose account is refused, so that not each request runs it. */
const RETRY_MS = 30_000;

/**
 * Reads accounts from a `docker-credential-*` program (https://github.com/docker/docker-credential-helpers), which gets
 * the server on stdin of `get` and writes the account as JSON to stdout. Callers that wait share one run. The program
 * is not run again at once if it has failed or its account is refused.
 * @param program the name behind `docker-credential-`, or the absolute path of the program
 */
export function helperSource(program: string, registry: RegistryIdentity, clock: Clock): CredentialSource {
  const [server = registry.name] = serverKeys(registry);
  let kept: { readonly credentials: Credentials | undefined; readonly until: number } | undefined;
  let failed: { readonly error: unknown; readonly until: number } | undefined;
  let renewableAt = Number.NEGATIVE_INFINITY;
  let running: Promise<Credentials | undefined> | undefined;
  const run = async (): Promise<Credentials | undefined> => {
    try {
      const credentials = await askHelper(executable(program), server);
      kept = { credentials, until: clock.monotonic() + KEPT_MS };
      return credentials;
    } catch (error) {
      failed = { error, until: clock.monotonic() + RETRY_MS };
      throw error;
    } finally {
      running = undefined;
    }
  };
  return {
    async get(signal) {
      if (kept !== undefined && clock.monotonic() < kept.until) return kept.credentials;
      if (failed !== undefined && clock.monotonic() < failed.until) throw failed.error;
      running ??= run();
      return abortable(running, signal);
    },
    invalidate() {
      if (clock.monotonic() < renewableAt) return;
      renewableAt = clock.monotonic() + RETRY_MS;
      kept = undefined;
    },
  };
}

/** @throws CredentialError for a name that would not lead to a program of that name in PATH */
function executable(program: string): string {
  if (isAbsolute(program)) return program;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(program)) {
    throw new CredentialError(`${JSON.stringify(program)} is not the name of a credential helper`);
  }
  return `docker-credential-${program}`;
}

async function askHelper(file: string, server: string): Promise<Credentials | undefined> {
  const { error, output } = await runHelper(file, server);
  if (error === undefined) return parseHelperAnswer(output, file);
  // The protocol has no code for a missing account, only this text, which all helpers take from the same library.
  if (/credentials not found/i.test(output)) return undefined;
  throw error;
}

async function runHelper(
  file: string,
  server: string,
): Promise<{ readonly error: CredentialError | undefined; readonly output: string }> {
  return new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, windowsHide: true };
    const child = execFile(file, ['get'], options, (error, stdout) => {
      // Neither the output nor the error's message, which contains it, may reach a log.
      resolve({ error: error === null ? undefined : failure(file, error), output: stdout });
    });
    // If a helper does not read its stdin, its own failure tells that.
    child.stdin?.on('error', () => undefined).end(server);
  });
}

function failure(
  file: string,
  error: { code?: unknown; killed?: boolean; signal?: unknown },
): CredentialError {
  if (error.code === 'ENOENT') return new CredentialError(`${file} is not installed`);
  const isCutOff = error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';
  if (isCutOff) return new CredentialError(`${file} wrote more than ${MAX_OUTPUT_BYTES} bytes`);
  if (error.killed === true) return new CredentialError(`${file} took longer than ${TIMEOUT_MS} ms`);
  return new CredentialError(`${file} failed with ${String(error.code ?? error.signal)}`);
}

/** @throws CredentialError */
function parseHelperAnswer(output: string, file: string): Credentials {
  const { Username: username, Secret: secret } = parseObject(output) ?? {};
  if (typeof username === 'string' && typeof secret === 'string' && secret !== '') {
    return credentialsOf(username, secret);
  }
  throw new CredentialError(`${file} wrote something else than an account`);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
