import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMirror } from '../asking/address.ts';
import { Askers } from '../asking/askers.ts';
import { AskError } from '../asking/error.ts';
import { systemClock } from '../clock.ts';
import { systemSources } from '../config/load.ts';
import type { ConfigSources } from '../config/source/config-sources.ts';
import { readProxyEnvironment } from '../config/source/proxy-environment.ts';
import { holdsCertificates } from '../config/source/referenced-files.ts';
import { createEvents } from '../events.ts';
import { credentialSource } from '../upstream/credentials/source.ts';
import { proxyChoice } from './upstreams.ts';
import { version } from './version.ts';

/** What a command line says of how to ask. */
export interface AskingOptions {
  /** The address of a mirror. */
  readonly via?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** Path of a file of PEM certificates. */
  readonly ca?: string | undefined;
}

/**
 * Makes what asks registries, with Docker's accounts and the environment's proxies. It connects to nothing yet.
 * @throws AskError if an option or a proxy of the environment cannot be used
 */
export function openAskers(options: AskingOptions, { env, home }: ConfigSources = systemSources()): Askers {
  const { insecure: isInsecure = false } = options;
  const ca = options.ca === undefined ? undefined : certificates(options.ca);
  const connecting = { isInsecure, hasAuthority: ca !== undefined };
  const { proxies, lines } = readProxyEnvironment(env);
  const [problem] = lines;
  if (problem !== undefined) throw new AskError(problem);
  const accounts = join(env['DOCKER_CONFIG'] ?? join(home, '.docker'), 'config.json');
  return new Askers({
    via: options.via === undefined ? undefined : parseMirror(options.via, connecting),
    isInsecure,
    ca,
    accountOf: (place) =>
      existsSync(accounts)
        ? credentialSource({ kind: 'docker-config', path: accounts }, place, systemClock)
        : undefined,
    proxyFor: proxyChoice(undefined, proxies, { name: 'proxy' }, systemClock),
    userAgent: `larder/${version()}`,
    clock: systemClock,
    events: createEvents(),
  });
}

/** @throws AskError */
function certificates(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    if (holdsCertificates(pem)) return pem;
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new AskError(`${path} cannot be read: ${code}`, { cause: error });
  }
  throw new AskError(`${path} is no file of PEM certificates`);
}
