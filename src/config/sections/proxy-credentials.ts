import { z } from 'zod';
import type { ConfigProblem } from '../config-problem.ts';
import { isPlainMap, upstreamEntries } from '../source/plain-value.ts';
import type { ValueContext } from '../values/context.ts';
import type { ProxyCredentials } from '../values/addresses/proxy.ts';
import { accountFile, secret } from '../values/secret.ts';

const keys = (context: ValueContext) => ({
  username: secret(context).describe('The account at the proxy.'),
  password: secret(context).optional().describe("The account's password."),
  passwordFile: accountFile(context)
    .optional()
    .describe('A file that holds nothing but the password. It is read at each use, so it may change.'),
});

/** The account at a proxy: `password` or `passwordFile`. */
export const proxyCredentials = (context: ValueContext) =>
  z.codec(z.strictObject(keys(context)), z.custom<ProxyCredentials>(), {
    decode({ username, password, passwordFile }, { issues }): ProxyCredentials {
      if (password !== undefined && passwordFile === undefined)
        return { kind: 'password', username, password };
      if (passwordFile !== undefined && password === undefined)
        return { kind: 'password-file', username, path: passwordFile };
      const got = password === undefined ? 'none' : 'both';
      const message = `expected password or passwordFile, got ${got}`;
      issues.push({ code: 'custom', message, input: undefined });
      return z.NEVER;
    },
    encode: (account) =>
      account.kind === 'password'
        ? { username: account.username, password: account.password }
        : { username: account.username, passwordFile: account.path },
  });

/** Checks that `proxy` and `proxyCredentials` of each upstream agree. Takes the file as written. */
export function checkProxies(file: unknown): readonly ConfigProblem[] {
  return upstreamEntries(file).flatMap(([name, { proxy, proxyCredentials }]) => {
    if (!isPlainMap(proxyCredentials)) return [];
    const path = ['upstreams', name, 'proxyCredentials'];
    if (proxy === undefined || proxy === 'none')
      return [{ path, message: 'expected the proxy that they are for, got no proxy' }];
    const hasTwoAccounts = typeof proxy === 'string' && proxy.includes('@');
    return hasTwoAccounts
      ? [{ path, message: 'expected user and password only here or only in proxy, got both' }]
      : [];
  });
}
