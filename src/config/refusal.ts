import type { Config } from './config.ts';
import { formatListenAddress, isLoopback } from './listen-address.ts';
import { alternatives } from './problem.ts';

/**
 * Closed by default: with credentials for an upstream, whoever reaches the mirror could pull what only the
 * account may. So Larder listens beyond this machine only if the config says that it may.
 * @returns the reason why Larder must not listen, in one line; undefined where it may
 */
export function refusalToListen(config: Pick<Config, 'listen' | 'access' | 'upstreams'>): string | undefined {
  if (isLoopback(config.listen) || config.access?.anonymous === 'pull') return undefined;
  const names = config.upstreams
    .filter(({ credentials }) => credentials !== undefined)
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  return (
    `listen: refused to listen on ${formatListenAddress(config.listen)}, which other machines can reach: whoever ` +
    `reaches it could pull private images with the credentials of ${alternatives(names).replace(/ or /, ' and ')}; ` +
    'listen on 127.0.0.1, or allow exactly this by "access: { anonymous: pull }"'
  );
}
