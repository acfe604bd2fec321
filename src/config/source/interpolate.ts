import type { KeyPath, ConfigProblem } from '../config-problem.ts';
import { isPlainMap, mapValues } from './plain-value.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The maps of an upstream that hold secrets. Only in them are variables replaced, and their values are never shown. */
export const ACCOUNTS: readonly string[] = ['credentials', 'proxyCredentials'];

const VARIABLE = /\$\$\{|\$\{([A-Za-z_]\w*)\}|\$\{/g;

/**
 * Replaces `${NAME}` in the credentials of upstreams by environment variables; `$${` means `${`. A value from the
 * environment is not interpolated again. Text whose variable is missing stays as it is.
 */
export function interpolateCredentials(
  file: unknown,
  environment: Environment,
): { readonly file: unknown; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const replace = (value: unknown, path: KeyPath): unknown => {
    if (typeof value !== 'string') return value;
    const { text, missing } = interpolate(value, environment);
    if (missing !== undefined) problems.push({ path, message: missing });
    return missing === undefined ? text : value;
  };
  return { file: mapCredentials(file, replace), problems };
}

/** The inverse of `interpolateCredentials`: escapes text that looks like a variable. */
export function escapeCredentials(file: unknown): unknown {
  return mapCredentials(file, (value) =>
    typeof value === 'string' ? value.replaceAll('${', () => '$${') : value,
  );
}

function mapCredentials(file: unknown, replace: (value: unknown, path: KeyPath) => unknown): unknown {
  return mapKey(file, 'upstreams', (upstreams) => {
    if (!isPlainMap(upstreams)) return upstreams;
    return mapValues(upstreams, (entry, name) => mapSecrets(entry, name, replace));
  });
}

function mapSecrets(
  entry: unknown,
  name: string,
  replace: (value: unknown, path: KeyPath) => unknown,
): unknown {
  const mapAccount = (map: unknown, account: string): unknown =>
    mapKey(map, account, (credentials) => {
      if (!isPlainMap(credentials)) return credentials;
      return mapValues(credentials, (value, key) => replace(value, ['upstreams', name, account, key]));
    });
  return ACCOUNTS.reduce(mapAccount, entry);
}

function mapKey(map: unknown, key: string, replace: (value: unknown) => unknown): unknown {
  if (!isPlainMap(map)) return map;
  return mapValues(map, (value, other) => (other === key ? replace(value) : value));
}

function interpolate(text: string, environment: Environment): { text: string; missing: string | undefined } {
  let missing: string | undefined;
  const replaced = text.replaceAll(VARIABLE, (match, name: string | undefined) => {
    if (match === '$${') return '${';
    const value = name === undefined ? undefined : environment[name];
    if (value === undefined || value === '') missing ??= missingMessage(name, value);
    return value ?? '';
  });
  return { text: replaced, missing };
}

function missingMessage(name: string | undefined, value: string | undefined): string {
  if (name === undefined) return 'expected a variable such as ${NAME}; for "${" itself write "$${"';
  return `expected the environment variable ${name}, which is ${value === undefined ? 'not set' : 'empty'}`;
}
