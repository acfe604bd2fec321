import { alternatives, type ConfigProblem } from './config-problem.ts';
import type { Config } from './config.ts';
import type { Overrides } from './source/overrides.ts';
import { formatListenAddress, isLoopback } from './values/listen-address.ts';

/**
 * Returns why a file without mistakes still cannot be used; undefined if it can.
 * @param overrides the parts of `config` that come from the environment
 */
export type ListenRefusal = (config: Config, overrides: Overrides) => ConfigProblem | undefined;

/**
 * Refuses to listen beyond this machine with credentials for an upstream, unless the config allows it: else any client
 * that reaches the mirror could pull what only the account may.
 * @returns why Larder must not listen; undefined if it may
 */
export const refusalToListen: ListenRefusal = (config, overrides) => {
  if (isLoopback(config.listen) || config.access !== undefined) return undefined;
  const names = config.upstreams
    .filter(({ credentials }) => credentials !== undefined)
    .map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return undefined;
  const isOverridden = overrides.listen !== undefined;
  const says = isOverridden ? ', as LARDER_LISTEN says' : '';
  const message =
    `refused to listen on ${formatListenAddress(config.listen)}${says}, which other machines can reach: whoever ` +
    `reaches it could pull private images with the credentials of ${alternatives(names).replace(/ or /, ' and ')}; ` +
    'listen on 127.0.0.1, or allow exactly this by "access: { anonymous: pull }"';
  return { path: isOverridden ? ['upstreams', first, 'credentials'] : ['listen'], message };
};
