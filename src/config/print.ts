import { stringify } from 'yaml';
import { z } from 'zod';
import { quoted } from '../text/quoted.ts';
import { toFile } from './complete.ts';
import type { Config } from './config.ts';
import { configSchema } from './schema.ts';
import { escapeCredentials } from './source/interpolate.ts';
import { isPlainMap } from './source/plain-value.ts';
import { PLAIN } from './values/context.ts';

/** What stands where a secret was. */
const HIDDEN = '(hidden)';

/**
 * The configuration in effect as YAML, which is itself a configuration file of the same meaning but for the
 * secrets, which are hidden. Upstreams show what differs from the general `tags` and `timeouts`.
 */
export function printConfig(config: Config): string {
  const file = encodeConfig(config, () => HIDDEN);
  const yaml = stringify(durationsLast(file), { lineWidth: 0, aliasDuplicateObjects: false });
  return yaml + printEnvironment(config.proxies);
}

/** The file that says what is in effect, as values of YAML. */
export function encodeConfig(config: Config, writeSecret = PLAIN.writeSecret): unknown {
  return escapeCredentials(z.encode(configSchema({ ...PLAIN, writeSecret }), toFile(config)));
}

/** The counts of `limits` are printed together; the reference has each duration beside what it is about. */
function durationsLast(file: unknown): unknown {
  const limits = isPlainMap(file) ? file['limits'] : undefined;
  if (!isPlainMap(file) || !isPlainMap(limits)) return file;
  const { headerTimeout, idleTimeout, ...counts } = limits;
  return { ...file, limits: { ...counts, headerTimeout, idleTimeout } };
}

/** As comments: they are no part of a file. */
function printEnvironment({ http, https, noProxy }: Config['proxies']): string {
  const proxies = [
    ['http_proxy', http?.url.origin],
    ['https_proxy', https?.url.origin],
    ['no_proxy', noProxy.length === 0 ? undefined : noProxy.map(quoted).join(', ')],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`# ${name} of the environment: ${value}\n`]));
  return proxies.join('');
}
