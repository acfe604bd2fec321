import { X509Certificate } from 'node:crypto';
import type { ConfigSources } from './config-sources.ts';
import { isPlainMap, upstreamEntries } from './plain-value.ts';
import { shown, type KeyPath, type Problem } from './problem.ts';

export interface ReferencedFiles {
  /** The text of each upstream's `ca`, by upstream. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/**
 * Reads what the file refers to, so that a wrong path is found at start: certificates for use; files of
 * credentials only to see that they can be read, since they are read again at use.
 */
export function readReferencedFiles(
  file: unknown,
  resolvePath: (path: string) => string,
  readText: ConfigSources['readText'],
): ReferencedFiles {
  const certificates = new Map<string, string>();
  const problems: Problem[] = [];
  const read = (path: unknown, keyPath: KeyPath): string | undefined => {
    if (typeof path !== 'string' || path === '' || path.includes('${')) return undefined;
    try {
      return readText(resolvePath(path));
    } catch (error) {
      problems.push({
        path: keyPath,
        message: `expected a file that can be read, got ${fileMistake(path, error)}`,
      });
      return undefined;
    }
  };
  for (const [name, entry] of upstreamEntries(file)) {
    const keyPath = ['upstreams', name, 'ca'];
    const pem = read(entry['ca'], keyPath);
    if (pem !== undefined) certificates.set(name, pem);
    if (pem !== undefined && !holdsCertificates(pem)) {
      problems.push({
        path: keyPath,
        message: `expected a file of PEM certificates, got ${shown(entry['ca'])}`,
      });
    }
    const credentials = isPlainMap(entry['credentials']) ? entry['credentials'] : {};
    for (const key of ['passwordFile', 'dockerConfig']) {
      read(credentials[key], ['upstreams', name, 'credentials', key]);
    }
  }
  return { certificates, problems };
}

/** Why a file cannot be read: `"./ca.pem" (ENOENT)`. */
export function fileMistake(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return `${shown(path)} (${code})`;
}

function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.every(isCertificate);
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== undefined;
  } catch {
    return false;
  }
}
