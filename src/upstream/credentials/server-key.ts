import type { RegistryIdentity } from './source.ts';

/** Docker Hub's key in config.json and for helper programs. It is the URL of its first registry. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

const DOCKER_HUB_HOSTS: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
]);

/** Returns the host of a key of `auths`, in any of its forms: `https://ghcr.io/v2/`, `ghcr.io`, `r.example:5000`. */
export function hostOfKey(key: string): string {
  return key
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/s, '')
    .toLowerCase();
}

/** Returns the keys under which an account of the registry may be kept, the most usual first. */
export function serverKeys({ name, url }: RegistryIdentity): string[] {
  const hosts = [...new Set([name.toLowerCase(), url.host])];
  return hosts.some((host) => DOCKER_HUB_HOSTS.has(host)) ? [DOCKER_HUB_KEY, ...DOCKER_HUB_HOSTS] : hosts;
}
