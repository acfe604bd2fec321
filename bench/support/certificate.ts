import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificateAuthority } from '../../test/support/tls.ts';
import type { Directory } from './directory.ts';

/** A certificate for servers on this machine. */
export interface Certificate {
  /** Paths of its PEM files. */
  readonly cert: string;
  readonly key: string;
  /** PEM of the authority that has issued it, and the path of the file with it. */
  readonly ca: string;
  readonly caFile: string;
}

/** Makes a certificate, with a P-256 key, as most servers have today. */
export async function makeCertificate(directory: Directory): Promise<Certificate> {
  const authority = createCertificateAuthority();
  const { cert, key } = authority.issue(['127.0.0.1', 'localhost']);
  const place = await directory.folder('certificate');
  const files = { cert: join(place, 'tls.crt'), key: join(place, 'tls.key'), caFile: join(place, 'ca.crt') };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  await writeFile(files.caFile, authority.certificate);
  return { ...files, ca: authority.certificate };
}
