import { readFileSync } from 'node:fs';
import { hashSync } from 'bcryptjs';
import type { openAccess } from '../../src/app/access/access.ts';
import { loadConfig } from '../../src/config/load.ts';

/**
 * Reads a section `access` as the program does, so that a test that has a mistake in it fails.
 * @param access the section as plain values; undefined: there is none
 * @param upstreams the names that its rules may name
 */
export function accessSettings(
  access: object | undefined,
  upstreams: readonly string[],
): Parameters<typeof openAccess>[0] {
  const url = 'https://registry.example';
  const named = Object.fromEntries(upstreams.map((name) => [name, { url }]));
  const file = { access, upstreams: named, defaultUpstream: upstreams[0] };
  const readText = (path: string): string =>
    path === '/test/config.yaml' ? JSON.stringify(file) : readFileSync(path, 'utf8');
  const sources = { env: {}, cwd: '/test', home: '/test', readText, isProgram: () => false };
  return loadConfig('config.yaml', sources);
}

/** Returns the text of a file of users. Their hashes cost as little as can be. */
export function htpasswd(passwords: Readonly<Record<string, string>>): string {
  const lines = Object.entries(passwords).map(([name, password]) => `${name}:${hashSync(password, 4)}\n`);
  return lines.join('');
}
