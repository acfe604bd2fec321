import type { Config } from '../../config/config.ts';
import { loadConfig, systemSources } from '../../config/load.ts';
import { configPath } from '../../config/source/overrides.ts';
import { ConfigError } from '../../config/config-problem.ts';
import type { Refusal } from '../../config/refusal.ts';

/**
 * Reads the configuration file that the option, the environment or the default names.
 * @param refusalOf returns why a configuration without mistakes still cannot be used, if so
 * @returns undefined if the configuration cannot be used; then standard error says why, one line per mistake
 */
export function readConfig(option: string | undefined, refusalOf?: Refusal): Config | undefined {
  const sources = systemSources();
  const path = configPath(option, sources.env);
  try {
    return loadConfig(path, sources, refusalOf);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) console.error(line);
  }
  return undefined;
}
