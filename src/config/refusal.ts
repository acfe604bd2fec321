import type { ConfigProblem } from './config-problem.ts';
import type { Config } from './config.ts';
import type { ConfigSources } from './source/config-sources.ts';
import type { Overrides } from './source/overrides.ts';

export interface RefusalContext extends Pick<ConfigSources, 'readText'> {
  /** The parts of the configuration that come from the environment. */
  readonly overrides: Overrides;
}

/** Returns why a configuration without mistakes still cannot be used; undefined if it can. */
export type Refusal = (config: Config, context: RefusalContext) => ConfigProblem | undefined;
