import { X509Certificate } from 'node:crypto';
import { shown, type KeyPath, type ConfigProblem } from '../config-problem.ts';
import type { ConfigSources } from './config-sources.ts';
import { ACCOUNTS } from './interpolate.ts';
import { isPlainMap, mapAt, upstreamEntries } from './plain-value.ts';

export interface ReferencedFiles {
  /** The text of the `ca` file of each upstream, by the upstream's name. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the files that the configuration refers to, so that a wrong path is found at the start: certificates for use,
 * files of credentials only to see that they can be read, since they are read again at each use.
 */
export function readReferencedFiles(
  file: unknown,
  resolvePath: (path: string) => string,
  readText: ConfigSources['readText'],
): ReferencedFiles {
  const certificates = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  const read: Read = (path) => readText(resolvePath(path));
  for (const [name, entry] of upstreamEntries(file)) {
    const { pem, message } = readCertificates(entry['ca'], read);
    if (pem !== undefined) certificates.set(name, pem);
    if (message !== undefined) problems.push({ path: ['upstreams', name, 'ca'], message });
    for (const account of ACCOUNTS)
      problems.push(...checkCredentialFiles([name, account], entry[account], read));
  }
  problems.push(...checkIssuerFiles(file, read));
  return { certificates, problems };
}

/** Reads a file. Throws the file system's errors. */
export type Read = (path: string) => string;

function readCertificates(path: unknown, read: Read): { pem?: string; message?: string } {
  const { text: pem, message } = readFile(path, read);
  if (pem === undefined) return message === undefined ? {} : { message };
  return holdsCertificates(pem)
    ? { pem }
    : { message: `expected a file of PEM certificates, got ${shown(path)}` };
}

function checkCredentialFiles(of: KeyPath, credentials: unknown, read: Read): readonly ConfigProblem[] {
  if (!isPlainMap(credentials)) return [];
  return ['passwordFile', 'dockerConfig'].flatMap((key) => {
    const path = credentials[key];
    if (!isPath(path)) return [];
    try {
      read(path);
      return [];
    } catch (error) {
      // The path is not shown: with a wrong variable or key it is the password itself.
      const message = `expected a file that can be read, got an error (${errorCode(error)})`;
      return [{ path: ['upstreams', ...of, key], message }];
    }
  });
}

/** Certificates and tokens of issuers are read again whenever keys are fetched: here they are only checked. */
function checkIssuerFiles(file: unknown, read: Read): readonly ConfigProblem[] {
  const issuers = mapAt(mapAt(isPlainMap(file) ? file : {}, 'access'), 'oidc');
  return Object.entries(issuers).flatMap(([name, entry]) => {
    const { ca, tokenFile } = isPlainMap(entry) ? entry : {};
    const messages = { ca: readCertificates(ca, read).message, tokenFile: readFile(tokenFile, read).message };
    return Object.entries(messages).flatMap(([key, message]) =>
      message === undefined ? [] : [{ path: ['access', 'oidc', name, key], message }],
    );
  });
}

function readFile(path: unknown, read: Read): { text?: string; message?: string } {
  if (!isPath(path)) return {};
  try {
    return { text: read(path) };
  } catch (error) {
    return { message: `expected a file that can be read, got ${shown(path)} (${errorCode(error)})` };
  }
}

/** Recognises a path. Any other value is a mistake that the schema reports. */
export function isPath(path: unknown): path is string {
  return typeof path === 'string' && path !== '' && !path.includes('${');
}

/** Returns Node's name of an error: `ENOENT`. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Returns whether a text holds PEM certificates, and all of them can be parsed. */
export function holdsCertificates(pem: string): boolean {
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
