import { rulesOf } from '../../../app/access/access-rules.ts';
import type { Config } from '../../../config/config.ts';

/** Says in a line how open Larder is. */
export function accessLine(config: Config): string {
  const { access } = config;
  const accounts = openAccounts(config);
  if (rulesOf(config).isOpenToAll) return `open: every client may pull everything${accounts}`;
  if (access === undefined) return 'closed';
  const { rules, users, oidc, anonymous } = access;
  const issuers = Object.keys(oidc);
  const parts = [
    rules.length === 1 ? '1 rule' : `${rules.length} rules`,
    ...(users === undefined ? [] : [`users from ${users}`]),
    ...(issuers.length === 0 ? [] : [`tokens of ${issuers.join(', ')}`]),
    ...(anonymous === undefined ? [] : [`else every client: ${anonymous.join(', ')}`]),
  ];
  return `closed: ${parts.join('; ')}${accounts === '' ? '' : `; every client may pull${accounts}`}`;
}

/**
 * Names the upstreams whose credentials serve every client. Rules may mean to close them, and leave clients without
 * credentials to `anonymous`.
 */
function openAccounts(config: Config): string {
  const rules = rulesOf(config);
  const names = config.upstreams.flatMap(({ name, credentials }) =>
    credentials !== undefined && rules.isOpen(name) ? [name] : [],
  );
  return names.length === 0 ? '' : ` with the credentials of ${names.join(', ')}`;
}

/**
 * Returns the path of Larder's address that Docker's `registry-mirrors` needs; undefined: it cannot use this mirror.
 * Docker takes a mirror whose ping asks for credentials for one that it may not use, since it has none for mirrors. The
 * ping of Docker Hub's own path is open where all of Docker Hub is.
 */
export function dockerMirrorPath(config: Config): string | undefined {
  const rules = rulesOf(config);
  if (!rules.needsUser) return '';
  return rules.isOpen('docker.io') ? '/docker.io' : undefined;
}

/** Returns the names of this mirror that stand for Docker Hub: versions of Docker that take no path can use one. */
export function dockerMirrorHosts({ upstreams }: Config): readonly string[] {
  return upstreams.find(({ name }) => name === 'docker.io')?.hosts ?? [];
}
