import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { shown, type ConfigProblem } from '../config-problem.ts';
import { isPlainMap } from './plain-value.ts';
import { errorCode, holdsCertificates, isPath, type Read } from './referenced-files.ts';

/** The keys of `tls`, each the path of a file. */
const KEYS = ['cert', 'key', 'clientCa'] as const;

/** The texts of the files that `tls` names. */
export type TlsTexts = { readonly [Key in (typeof KEYS)[number]]?: string | undefined };

/** A mistake in one of these files. */
export interface TlsFault {
  readonly key: (typeof KEYS)[number];
  /** Completes "expected …". */
  readonly expected: string;
}

/** Returns why the files cannot be used, alone or together; undefined if they can. */
export function tlsFault({ cert, key, clientCa }: TlsTexts): TlsFault | undefined {
  if (cert !== undefined && !holdsCertificates(cert))
    return { key: 'cert', expected: 'a file of PEM certificates' };
  if (clientCa !== undefined && !holdsCertificates(clientCa))
    return { key: 'clientCa', expected: 'a file of PEM certificates' };
  if (key === undefined) return undefined;
  const privateKey = readKey(key);
  if (privateKey === undefined) return { key: 'key', expected: 'a PEM private key without a passphrase' };
  if (cert === undefined) return undefined;
  if (!new X509Certificate(cert).checkPrivateKey(privateKey))
    return { key: 'key', expected: 'the private key of the certificate in tls.cert' };
  const refusal = openSslRefusal(cert, key);
  return refusal === undefined ? undefined : { key: 'cert', expected: `a usable certificate (${refusal})` };
}

/** Checks the files that `tls` names. Takes the configuration as written. */
export function checkTls(file: unknown, read: Read): readonly ConfigProblem[] {
  const tls = isPlainMap(file) ? file['tls'] : undefined;
  if (!isPlainMap(tls)) return [];
  const problems: ConfigProblem[] = [];
  const texts: { [Key in (typeof KEYS)[number]]?: string } = {};
  for (const key of KEYS) {
    const path = tls[key];
    if (!isPath(path)) continue;
    try {
      texts[key] = read(path);
    } catch (error) {
      const message = `expected a file that can be read, got ${shown(path)} (${errorCode(error)})`;
      problems.push({ path: ['tls', key], message });
    }
  }
  const fault = tlsFault(texts);
  if (fault === undefined) return problems;
  const message = `expected ${fault.expected}, got ${shown(tls[fault.key])}`;
  return [...problems, { path: ['tls', fault.key], message }];
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** Returns why OpenSSL does not take the pair: a key that is too short, for example. */
function openSslRefusal(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
