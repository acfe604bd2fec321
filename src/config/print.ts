import { stringify } from 'yaml';
import { z } from 'zod';
import { quoted } from '../text/quoted.ts';
import { toFile } from './complete.ts';
import type { Config } from './config.ts';
import { configSchema } from './schema.ts';
import { escapeCredentials } from './source/interpolate.ts';
import { isPlainMap } from './source/plain-value.ts';
import { PLAIN } from './values/context.ts';

/** The text in place of a secret. */
const HIDDEN = '(hidden)';

/**
 * Prints the configuration in effect as YAML. That is a configuration file with the same meaning, except for the hidden
 * secrets. Upstreams show only values that differ from the general `tags` and `timeouts`.
 */
export function printConfig(config: Config): string {
  const file = encodeConfig(config, () => HIDDEN);
  const yaml = stringify(durationsLast(file), { lineWidth: 0, aliasDuplicateObjects: false });
  return yaml + printEnvironment(config.proxies);
}

/** Returns a file with the configuration in effect, as values of YAML. */
export function encodeConfig(config: Config, writeSecret = PLAIN.writeSecret): unknown {
  return escapeCredentials(z.encode(configSchema({ ...PLAIN, writeSecret }), toFile(config)));
}

/** Moves the durations of `limits` behind the counts. The reference has each one beside the count it belongs to. */
function durationsLast(file: unknown): unknown {
  const limits = isPlainMap(file) ? file['limits'] : undefined;
  if (!isPlainMap(file) || !isPlainMap(limits)) return file;
  const { headerTimeout, idleTimeout, ...counts } = limits;
  return { ...file, limits: { ...counts, headerTimeout, idleTimeout } };
}

/** Prints the environment's proxies as comments, since they are no part of a file. */
function printEnvironment({ http, https, noProxy }: Config['proxies']): string {
  const proxies = [
    ['http_proxy', http?.url.origin],
    ['https_proxy', https?.url.origin],
    ['no_proxy', noProxy.length === 0 ? undefined : noProxy.map(quoted).join(', ')],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`# ${name} of the environment: ${value}\n`]));
  return proxies.join('');
}
