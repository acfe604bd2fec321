import { resolve } from 'node:path';
import { shown } from '../config-problem.ts';
import type { ConfigSources } from './config-sources.ts';
import { parseListenAddress, type ListenAddress } from '../values/addresses/listen-address.ts';
import { ValueError, valueOrError } from '../values/value-error.ts';

/** The values that the environment sets in place of the file. */
export interface Overrides {
  readonly listen?: ListenAddress;
  /** An absolute path. */
  readonly cacheDirectory?: string;
}

/** Returns the file to read: `--config`, else `LARDER_CONFIG`, else `config.yaml` in the current folder. */
export function configPath(option: string | undefined, env: ConfigSources['env']): string {
  return option ?? nonEmpty(env['LARDER_CONFIG']) ?? 'config.yaml';
}

/** Reads `LARDER_LISTEN` and `LARDER_CACHE_DIRECTORY`. An empty variable counts as not set. */
export function readOverrides({ env, cwd }: ConfigSources): {
  readonly overrides: Overrides;
  readonly lines: readonly string[];
} {
  const directory = nonEmpty(env['LARDER_CACHE_DIRECTORY']);
  const cacheDirectory = directory === undefined ? {} : { cacheDirectory: resolve(cwd, directory) };
  const listen = nonEmpty(env['LARDER_LISTEN']);
  if (listen === undefined) return { overrides: cacheDirectory, lines: [] };
  const address = valueOrError(() => parseListenAddress(listen));
  if (address instanceof ValueError) {
    return { overrides: cacheDirectory, lines: [`LARDER_LISTEN: ${address.message}, got ${shown(listen)}`] };
  }
  return { overrides: { ...cacheDirectory, listen: address }, lines: [] };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
