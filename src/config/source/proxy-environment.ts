import type { Environment } from './interpolate.ts';
import { isBypassed } from './no-proxy.ts';
import { parseProxy, type ProxyConfig } from '../values/addresses/proxy.ts';
import { ValueError, valueOrError } from '../values/value-error.ts';

/** The environment's proxies, for upstreams that set no `proxy`. */
export interface ProxyEnvironment {
  /** The proxy for http:// targets. */
  readonly http: ProxyConfig | undefined;
  readonly https: ProxyConfig | undefined;
  /** The entries of `no_proxy`, as written. */
  readonly noProxy: readonly string[];
}

/**
 * Reads `http_proxy`, `https_proxy` and `no_proxy`, the last two also in upper case, as curl does
 * (https://everything.curl.dev/usingcurl/proxies/env.html). It ignores `HTTP_PROXY`, since a web server puts a
 * request's header `Proxy` there. An empty variable counts as not set, and a proxy without a scheme is `http://`.
 */
export function readProxyEnvironment(env: Environment): {
  readonly proxies: ProxyEnvironment;
  readonly lines: readonly string[];
} {
  const lines: string[] = [];
  const read = (...names: readonly string[]): ProxyConfig | undefined => {
    const name = setName(env, names);
    if (name === undefined) return undefined;
    const text = (env[name] ?? '').trim();
    const proxy = valueOrError(() =>
      parseProxy(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`),
    );
    if (!(proxy instanceof ValueError)) return proxy;
    // The value is not shown, since it may hold a password.
    lines.push(`${name}: ${proxy.message}, got something else`);
    return undefined;
  };
  const http = read('http_proxy');
  const https = read('https_proxy', 'HTTPS_PROXY');
  const noProxy = (env[setName(env, ['no_proxy', 'NO_PROXY']) ?? ''] ?? '').split(/[\s,]+/);
  return { proxies: { http, https, noProxy: noProxy.filter((entry) => entry !== '') }, lines };
}

/** Returns the first of the variables that is set. */
function setName(env: Environment, names: readonly string[]): string | undefined {
  return names.find((name) => (env[name] ?? '') !== '');
}

/**
 * Returns the proxy for requests to a URL. `own` is the upstream's own `proxy`, which applies to all of its requests.
 * Without it the environment's applies, but never to this machine itself.
 */
export function proxyOf(
  target: URL,
  own: ProxyConfig | 'none' | undefined,
  environment: ProxyEnvironment,
): ProxyConfig | undefined {
  if (own !== undefined) return own === 'none' ? undefined : own;
  const proxy = target.protocol === 'https:' ? environment.https : environment.http;
  return proxy === undefined || isBypassed(target, environment.noProxy) ? undefined : proxy;
}
