import { z } from 'zod';
import { isPlainMap, upstreamEntries } from '../source/plain-value.ts';
import type { ConfigProblem } from '../config-problem.ts';
import type { ProxyCredentials } from '../values/proxy.ts';
import { secretText } from '../values/leaf.ts';

const keys = z.strictObject({
  username: secretText().describe('The account at the proxy.'),
  password: secretText().optional().describe("The account's password."),
  passwordFile: secretText('path')
    .optional()
    .describe('A file that holds nothing but the password. It is read at each use, so it may change.'),
});

type Keys = z.output<typeof keys>;

/** The account at a proxy: `password` or `passwordFile`. Paths are as written. */
export const proxyCredentialsSchema: z.ZodPipe<
  typeof keys,
  z.ZodTransform<ProxyCredentials, Keys>
> = keys.transform((written, context): ProxyCredentials => {
  const { username, password, passwordFile } = written;
  if (password !== undefined && passwordFile === undefined) return { kind: 'password', username, password };
  if (passwordFile !== undefined && password === undefined)
    return { kind: 'password-file', username, path: passwordFile };
  const got = password === undefined ? 'none' : 'both';
  context.issues.push({
    code: 'custom',
    message: `expected password or passwordFile, got ${got}`,
    input: undefined,
  });
  return z.NEVER;
});

/** What `proxy` and `proxyCredentials` of an upstream must agree on. Takes the file as written. */
export function checkProxies(file: unknown): readonly ConfigProblem[] {
  return upstreamEntries(file).flatMap(([name, { proxy, proxyCredentials }]) => {
    if (!isPlainMap(proxyCredentials)) return [];
    const path = ['upstreams', name, 'proxyCredentials'];
    if (proxy === undefined || proxy === 'none')
      return [{ path, message: 'expected the proxy that they are for, got no proxy' }];
    const isTwice = typeof proxy === 'string' && proxy.includes('@');
    return isTwice
      ? [{ path, message: 'expected user and password only here or only in proxy, got both' }]
      : [];
  });
}
