import type { Config } from '../../config/config.ts';
import { loadConfig, systemSources } from '../../config/load.ts';
import { configPath } from '../../config/source/overrides.ts';
import { ConfigError } from '../../config/config-problem.ts';
import type { ListenRefusal } from '../../config/listen-refusal.ts';

/**
 * The configuration that the option, the environment or the default name.
 * @param refusalOf why a configuration without mistakes cannot be used all the same
 * @returns undefined where it cannot be used; then standard error says why, a line each
 */
export function readConfig(option: string | undefined, refusalOf?: ListenRefusal): Config | undefined {
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
