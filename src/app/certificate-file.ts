import { readFile, stat } from 'node:fs/promises';
import { holdsCertificates } from '../config/source/referenced-files.ts';
import type { CertificateFile } from '../upstream/connections/trust.ts';

/** The file of an upstream's `ca`, checked as strictly at each reading as at the start. */
export function certificateFile(path: string): CertificateFile {
  return {
    version: () => fileVersion(path),
    async read() {
      const pem = await readFile(path, 'utf8');
      if (holdsCertificates(pem)) return pem;
      throw new Error(`${path} is no file of PEM certificates`);
    },
  };
}

/** Returns a text that differs once the file has changed. @throws the system's error if there is none */
export async function fileVersion(path: string): Promise<string> {
  // Kubernetes puts another file in place of a mounted one; an editor writes into it.
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs].join(':');
}
